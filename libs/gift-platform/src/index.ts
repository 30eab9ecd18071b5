export { achievementsMigrations, createDemoDatabase, type DemoDatabase, migrateDemo } from '@tidings-demo/migrations';
export * from './app-name';
export * from './bigint-column';
export * from './gift-transport';
export * from './history/history';
export * from './platform-config';
export * from './platform.module';
export * from './schema.pipe';
export * from './serve';
