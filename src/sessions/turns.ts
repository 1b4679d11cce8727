// One after the other: the changes of a session take turns, and only so many may wait.

/** A bounded queue of work, in the order of arrival. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Work that waits or runs. */
  get length(): number {
    return this.#waiting;
  }

  /** Runs work when all that came before has ended, however it ended. */
  take<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#waiting++;
    const turn = this.#last.then(work).finally(() => this.#waiting--);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
