export * from './memory-broker';
export * from './memory.options';
export * from './memory.transport';
