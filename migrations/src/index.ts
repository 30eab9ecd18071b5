export * from './demo-database';
export * from './demo-migrations';
export * from './migrate-demo';
