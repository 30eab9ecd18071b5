export * from './broker';
export * from './broker-table';
export * from './remove-traces';
