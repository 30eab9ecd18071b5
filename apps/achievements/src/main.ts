import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { achievementsMigrations, migrateDemo, serve } from '@tidings/gift-platform';
import { AppModule } from './app.module';

void serve(
  (config) => NestFactory.create(AppModule.register(config)),
  ({ ownDatabaseUrl, databaseUrl }) => migrateDemo(ownDatabaseUrl ?? databaseUrl, achievementsMigrations),
);
