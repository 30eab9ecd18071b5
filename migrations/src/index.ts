export * from './demo-migrations';
export * from './migrate-demo';
