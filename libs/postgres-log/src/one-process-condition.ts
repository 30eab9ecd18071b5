/** Is the audience one process of a broadcast, `group#uuid`? The first condition is the index's. */
export const ofOneProcess = (audience: string): string =>
  `(${audience} like '%#%' and ${audience} ~ '#[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')`;
