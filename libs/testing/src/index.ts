export * from './gate';
export * from './manual-clock';
export * from './recording-receive';
export * from './servers';
export * from './test-message';
export * from './transport-conformance';
export * from './until';
