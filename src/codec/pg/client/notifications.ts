/** LISTEN and NOTIFY as observables: a channel is listened to while somebody is subscribed to it. */
import { Observable, Subject } from 'rxjs';
import { quoteIdentifier } from '../types/identifiers.js';
import type { PgNotification } from './session.js';

type Run = (query: string) => Promise<unknown>;

export class Notifications {
  readonly #channels = new Map<string, Subject<PgNotification>>();
  readonly #run: Run;
  #closed: { error: Error | undefined } | undefined;

  /** @param run sends a query on the connection */
  constructor(run: Run) {
    this.#run = run;
  }

  /**
   * Emits what is notified on `channel`; LISTEN is sent with the first subscription and UNLISTEN after the last.
   * Fails when LISTEN does or the connection is lost, completes when the client is closed.
   */
  of(channel: string): Observable<PgNotification> {
    return new Observable((subscriber) => {
      if (this.#closed) {
        finish(subscriber, this.#closed.error);
        return undefined;
      }
      const subject = this.#channels.get(channel) ?? this.#listen(channel);
      const subscription = subject.subscribe(subscriber);
      return () => {
        subscription.unsubscribe();
        if (!subject.observed && this.#channels.get(channel) === subject) this.#unlisten(channel);
      };
    });
  }

  deliver(notification: PgNotification): void {
    this.#channels.get(notification.channel)?.next(notification);
  }

  close(error: Error | undefined): void {
    this.#closed ??= { error };
    const subjects = [...this.#channels.values()];
    this.#channels.clear();
    for (const subject of subjects) finish(subject, error);
  }

  #listen(channel: string): Subject<PgNotification> {
    const subject = new Subject<PgNotification>();
    this.#channels.set(channel, subject);
    this.#run(`LISTEN ${quoteIdentifier(channel)}`).catch((error: Error) => {
      if (this.#channels.get(channel) === subject) this.#channels.delete(channel);
      subject.error(error);
    });
    return subject;
  }

  #unlisten(channel: string): void {
    this.#channels.delete(channel);
    // Nobody is left who could be told of its failure: a connection that is gone listens to nothing.
    if (!this.#closed) this.#run(`UNLISTEN ${quoteIdentifier(channel)}`).catch(() => {});
  }
}

function finish(observer: { error(error: Error): void; complete(): void }, error: Error | undefined): void {
  if (error) observer.error(error);
  else observer.complete();
}
