/** A value that JSON can hold; what it cannot hold (functions, cycles) must not be handed over. */
export type Json = string | number | boolean | null | undefined | Json[] | { [key: string]: Json };

export type Fields = { [key: string]: Json };

/** One event as it is sent, in the shape of the Segment specification. */
export interface Event {
  type: "track" | "identify" | "page" | "group" | "alias";
  messageId: string;
  timestamp: string;
  anonymousId: string;
  userId?: string;
  event?: string;
  name?: string;
  category?: string;
  groupId?: string;
  previousId?: string;
  properties?: Fields;
  traits?: Fields;
  context: Fields;
  integrations?: Fields;
}

/** Top-level fields of one call: `timestamp`, `integrations`; those of `context` are added to its own. */
export interface Extra {
  timestamp?: string;
  context?: Fields;
  integrations?: Fields;
}

/** Every option also stands as an attribute on the script's tag: `sample` as `data-sample="0.1"`. */
export interface Options {
  /** Where events go: scheme and host of the Segue server. Unless said, where the script came from. */
  host?: string;
  /**
   * `given`: starts at once. `wait`: holds events in memory until `consent(true)`. `drop`: lets them go until
   * then. In the last two nothing is stored or sent before.
   */
  consent?: "given" | "wait" | "drop";
  /** Page views: `auto` (each load and each change of path or query), `hash` (of the fragment too), `off`. */
  pages?: "auto" | "hash" | "off";
  /** The domain of a cookie that shares the visitor's id between hosts; without it there are no cookies. */
  cookie?: string;
  /** The share of visitors that are tracked at all, 0 to 1. A visitor stays in or out. */
  sample?: number | string;
  /** Minutes without an event that end a session; 30 unless said. */
  session?: number | string;
  /** `respect` (unless said): Do-Not-Track and Global Privacy Control turn the tracker off. */
  signals?: "respect" | "ignore";
  /** A second tracker on one page needs a name of its own for what it stores. */
  name?: string;
  /** Sees each event before it is kept; what it returns is kept instead, `null` drops it. */
  before?: (event: Event) => Event | null | void;
}

export interface Tracker {
  /** What the visitor did. */
  track(event: string, properties?: Fields, extra?: Extra): void;
  /** Who the visitor is, and what is known of them. Without an id, only what is known. */
  identify(userId: string | number | Fields | null | undefined, traits?: Fields, extra?: Extra): void;
  /** A page view; the page's own fields need not be given. */
  page(name?: string | Fields, properties?: Fields, extra?: Extra): void;
  /** The account the visitor belongs to, and what is known of the account. */
  group(groupId: string | number, traits?: Fields, extra?: Extra): void;
  /** Joins another id to a user: `previousId`, or the visitor's own. */
  alias(userId: string | number, previousId?: string | number, extra?: Extra): void;
  /** Somebody else sits here now: a new visitor, a new session. */
  reset(): void;
  /** Consent was given (`true`), or is withdrawn (`false`): all that was stored is removed. */
  consent(given: boolean): void;
  /** Tries to send what waits; done when it was tried. */
  flush(): Promise<void>;
  /** A call as a list, `["track", "Login"]`: what a page writes before the script has come. */
  push(...calls: [string, ...unknown[]][]): void;
  /** Such calls of verbs that a module brings which has not come yet. */
  readonly late: [string, ...unknown[]][];
  /** Whether events of this visitor are kept and sent: consent was given, and nothing else speaks against it. */
  readonly active: boolean;
  readonly host: string;
  readonly writeKey: string;
  readonly anonymousId: string;
  readonly userId: string | undefined;
  readonly sessionId: string | undefined;
}

export interface PersonalOptions {
  /** A token that the page was delivered with. It cannot be renewed: when it ends, the page stays as it is. */
  token?: string;
  /**
   * Where the site gives out tokens, as the address of a POST of `{"anonymous_id": …}` that answers with
   * `{"token": …}`; or a function. Nothing (204, null) means that this visitor gets none.
   */
  tokens?: string | ((person: { anonymousId: string; userId: string | undefined }) => Token | Promise<Token>);
  /** Milliseconds until what is not known is waited for no longer; 1000 unless said. */
  timeout?: number | string;
  /** That of the tracker, if it has one. */
  name?: string;
}

export type Token = string | null | undefined;

/** One entering or leaving, as the stream tells it. */
export interface Heard {
  segment: string;
  action: "entered" | "left";
  at: string;
  seq?: number;
  id?: string;
  user_id?: string;
  cause?: { type: string; message_id?: string };
}

/** The same for a page; what was found out by reading, and not heard, has no number, and no moment if it is a leaving. */
export type Change = Omit<Heard, "at"> & { at?: string };

/** What a trigger says that has `stream` among its destinations. */
export interface Fired {
  fired: Json;
  trigger: string;
  id: string;
  user_id: string;
  at: string;
}

/** What is to be shown in a slot, and why; without a variant the payload is the slot's fallback. */
export interface Decision {
  slot: string;
  experience: string | null;
  variant: string | null;
  payload: Json;
  reason: string;
  passed: { experience: string; variant: string; why: string }[];
}

/** The verbs that the personalizer adds to the tracker. */
export interface Personal {
  /** Names of the segments that the visitor is in, as far as is known. */
  readonly segments: string[];
  /** When the page shows what it should, or has stopped waiting for that. */
  readonly ready: Promise<void>;
  /** Whether the visitor is in a segment, as far as is known. */
  is(segment: string): boolean;
  /** Calls when the visitor enters or leaves a segment (`*`: any); what it returns ends that. */
  on(action: "entered" | "left", segment: string, call: (change: Change) => void): () => void;
  /** Calls when a trigger fires for the visitor while the page listens. */
  on(action: "fired", trigger: string, call: (message: Fired) => void): () => void;
  /** What to show in a slot; `context` is what conditions see as `request.`. It counts as shown unless `record` is false. */
  decide(slot: string, context?: Fields, record?: boolean): Promise<Decision>;
  /** Asks for the content of all slots and lists anew. */
  refresh(): Promise<void>;
}
