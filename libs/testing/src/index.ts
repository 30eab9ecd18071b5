export * from './servers';
export * from './until';
