// What is known of clocks: those of two machines differ by less than this, unless one of them was set.

/** A time further ahead than anybody could have written by now was written before a clock was set back. */
export const CLOCKS_DIFFER_MS = 60_000
