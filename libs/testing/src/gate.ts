/** A promise that a spec opens by hand: handlers wait at it, so that a spec decides when they go on. */
export class Gate {
  #open!: () => void;
  readonly opened = new Promise<void>((resolve) => (this.#open = resolve));

  /** Safe twice. */
  open(): void {
    this.#open();
  }
}
