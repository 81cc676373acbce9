// SPDX-License-Identifier: Apache-2.0

/** A word for a value that the libvirt headers of the build did not have. */
export type Unknown = `unknown(${number})`;

/** What a domain is known by; `id` is null unless it ran when libvirt last reported it. */
export interface DomainIdentity {
  readonly name: string;
  readonly uuid: string;
  readonly id: number | null;
}

/** virDomainEventType. */
export type Lifecycle =
  | 'defined'
  | 'undefined'
  | 'started'
  | 'suspended'
  | 'resumed'
  | 'stopped'
  | 'shutdown'
  | 'pmsuspended'
  | 'crashed';

/** A domain changed its state; `detail` is the virDomainEvent…DetailType of `event`. */
export interface LifecycleEvent {
  type: 'lifecycle';
  domain: DomainIdentity;
  event: Lifecycle | Unknown;
  detail: number;
}

/** The metadata of a domain changed; `uri` is that of the element, null for the other kinds. */
export interface MetadataEvent {
  type: 'metadata';
  domain: DomainIdentity;
  kind: 'description' | 'title' | 'element' | Unknown;
  uri: string | null;
}

/** The connection is lost: each call fails from now on, and no event comes any more. */
export interface DisconnectedEvent {
  type: 'disconnected';
  reason: 'error' | 'end of file' | 'keepalive timeout' | 'closed by client' | Unknown;
}

/** `count` events came faster than they were taken and are gone: read the state again. */
export interface LostEvent {
  type: 'lost';
  count: number;
}

export type ConnectionEvent = LifecycleEvent | MetadataEvent | DisconnectedEvent | LostEvent;
