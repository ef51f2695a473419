/**
 * Questions that may hang, such as what is free on a disk that does not answer: who asks waits for a short time, and
 * whoever asks again meanwhile waits for the same answer instead of keeping one more thread busy.
 */
const patienceMs = 2000;

export class PatientQuestion<T> {
  private readonly asked = new Map<string, Promise<T | null>>();

  constructor(private readonly ask: (subject: string) => Promise<T | null>) {}

  /** Null when there is no answer in time, or none at all. Never throws. */
  async about(subject: string): Promise<T | null> {
    const answer = this.asked.get(subject) ?? this.begin(subject);
    let late: NodeJS.Timeout | undefined;
    const hanging = new Promise<null>((resolve) => {
      late = setTimeout(() => resolve(null), patienceMs);
    });
    return Promise.race([answer, hanging]).finally(() => clearTimeout(late));
  }

  private begin(subject: string): Promise<T | null> {
    const answer = this.ask(subject)
      .catch(() => null)
      .finally(() => this.asked.delete(subject));
    this.asked.set(subject, answer);
    return answer;
  }
}
