// Lanes: how many receivers are called at once by one batch, which has six connections (Workers limits).

const LANES = 6
/** One that hangs leaves a lane to the others. */
const LANES_A_RECEIVER = 5

interface Waiting {
  readonly receiverId: string
  readonly enter: () => void
}

export class Lanes {
  private readonly taken: string[] = []
  private readonly waiting: Waiting[] = []

  /** Resolves when it is the receiver's turn; whoever was let in leaves. */
  async enter(receiverId: string): Promise<void> {
    if (this.hasLaneFor(receiverId)) {
      this.taken.push(receiverId)
      return
    }
    const turn = Promise.withResolvers<void>()
    this.waiting.push({ receiverId, enter: turn.resolve })
    await turn.promise
  }

  leave(receiverId: string): void {
    this.taken.splice(this.taken.indexOf(receiverId), 1)
    const next = this.waiting.findIndex(waiting => this.hasLaneFor(waiting.receiverId))
    const [first] = next < 0 ? [] : this.waiting.splice(next, 1)
    if (!first) return
    this.taken.push(first.receiverId)
    first.enter()
  }

  private hasLaneFor(receiverId: string): boolean {
    const own = this.taken.filter(id => id === receiverId).length
    return this.taken.length < LANES && own < LANES_A_RECEIVER
  }
}
