import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { serve } from '@tidings/gift-platform';
import { AppModule } from './app.module';

void serve((config) => NestFactory.create(AppModule.register(config)));
