// application/msgpack beside JSON, in both directions. Requests: the part of MessagePack that JSON can say, read by a
// strict reader of our own and then validated like JSON (a general decoder would build dates, regular expressions and
// records from client bytes). Replies: the fields of the response schema and no others, written by msgpackr.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Packr } from 'msgpackr';
import { Problem, problemType } from './errors.ts';

/** The media type; `application/x-msgpack` and `application/vnd.msgpack` are read as well. */
export const msgpackType = 'application/msgpack';

const readableTypes = [msgpackType, 'application/x-msgpack', 'application/vnd.msgpack'];
const maxDepth = 32;
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

/** Lets every route of a scope speak msgpack: parses request bodies, answers by Accept. */
export function addMsgpack(scope: FastifyInstance): void {
  const packr = new Packr({ useRecords: false, moreTypes: true });
  const projections = new WeakMap<object, Project>();

  scope.addContentTypeParser(readableTypes, { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, unpack(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });

  scope.addHook('onRequest', (request, reply, done) => {
    reply.header('vary', 'Accept');
    if (preferredType(request.headers.accept) !== null) done();
    else done(new Problem('not-acceptable', `offered are application/json and ${msgpackType}`));
  });

  scope.addHook('preSerialization', (request, reply, payload, done) => {
    const schema = responseSchema(request, reply);
    const isProblem = String(reply.getHeader('content-type') ?? '').startsWith(problemType);
    if (schema === undefined || isProblem || !wantsMsgpack(request)) return done(null, payload);
    let project = projections.get(schema);
    if (project === undefined) {
      project = projection(schema);
      projections.set(schema, project);
    }
    try {
      const projected = project(payload);
      // The framework sends bytes as well as text; its types know of text only.
      reply.type(msgpackType).serializer((value: unknown) => packr.pack(value) as unknown as string);
      done(null, projected);
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Whether the answer to a request is msgpack. */
export function wantsMsgpack(request: FastifyRequest): boolean {
  return preferredType(request.headers.accept) === msgpackType;
}

/** The one value in bytes. Throws Problem 'malformed-body'. */
export function unpack(bytes: Uint8Array): unknown {
  if (bytes.length === 0) throw malformed('the body is empty', 0);
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.position !== bytes.length) throw malformed('bytes after the value', reader.position);
  return value;
}

/**
 * The type with the highest quality in an Accept header, JSON on a tie; null when neither is acceptable. An empty header
 * accepts anything, as none does, and who names the type of errors only is answered in JSON.
 */
function preferredType(accept = ''): 'application/json' | typeof msgpackType | null {
  if (accept.trim() === '' || accept === '*/*' || accept === 'application/json') return 'application/json';
  if (accept === msgpackType) return msgpackType;
  const json = quality(accept, ['application/json']);
  const msgpack = quality(accept, readableTypes);
  if (json === 0 && msgpack === 0) return quality(accept, [problemType]) > 0 ? 'application/json' : null;
  return msgpack > json ? msgpackType : 'application/json';
}

/** The quality of the most specific range of an Accept header that covers a type (RFC 9110, section 12.5.1). */
function quality(accept: string, types: readonly string[]): number {
  let specificity = -1;
  let best = 0;
  for (const part of accept.split(',')) {
    const [range = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const level = types.includes(range) ? 2 : range === 'application/*' ? 1 : range === '*/*' ? 0 : -1;
    if (level < 0 || level < specificity) continue;
    const weight = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1);
    best = Number.isFinite(weight) ? Math.min(1, Math.max(0, weight)) : 0;
    specificity = level;
  }
  return best;
}

/** Reads MessagePack as far as it has a JSON meaning: no extensions, no binary, no NaN, text keys, each once. */
class Reader {
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  value(depth: number): unknown {
    const at = this.#take(1);
    const byte = this.#bytes[at] as number;
    if (byte <= 0x7f) return byte;
    if (byte >= 0xe0) return byte - 0x100;
    if (byte <= 0x8f) return this.#map(byte & 0x0f, depth);
    if (byte <= 0x9f) return this.#array(byte & 0x0f, depth);
    if (byte <= 0xbf) return this.#string(byte & 0x1f);
    const view = this.#view;
    switch (byte) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        return this.#finite(view.getFloat32(this.#take(4)));
      case 0xcb:
        return this.#finite(view.getFloat64(this.#take(8)));
      case 0xcc:
        return view.getUint8(this.#take(1));
      case 0xcd:
        return view.getUint16(this.#take(2));
      case 0xce:
        return view.getUint32(this.#take(4));
      case 0xcf:
        return this.#safe(view.getBigUint64(this.#take(8)));
      case 0xd0:
        return view.getInt8(this.#take(1));
      case 0xd1:
        return view.getInt16(this.#take(2));
      case 0xd2:
        return view.getInt32(this.#take(4));
      case 0xd3:
        return this.#safe(view.getBigInt64(this.#take(8)));
      case 0xd9:
        return this.#string(view.getUint8(this.#take(1)));
      case 0xda:
        return this.#string(view.getUint16(this.#take(2)));
      case 0xdb:
        return this.#string(view.getUint32(this.#take(4)));
      case 0xdc:
        return this.#array(view.getUint16(this.#take(2)), depth);
      case 0xdd:
        return this.#array(view.getUint32(this.#take(4)), depth);
      case 0xde:
        return this.#map(view.getUint16(this.#take(2)), depth);
      case 0xdf:
        return this.#map(view.getUint32(this.#take(4)), depth);
      default:
        throw malformed('binary data and extension types are not accepted', at);
    }
  }

  /** The start of the next count bytes, which are then behind. */
  #take(count: number): number {
    const at = this.position;
    if (count > this.#bytes.length - at) throw malformed('the body ends inside a value', at);
    this.position = at + count;
    return at;
  }

  #finite(value: number): number {
    if (!Number.isFinite(value)) throw malformed('NaN and infinity are not accepted', this.position);
    return value;
  }

  #safe(value: bigint): number {
    if (BigInt.asIntN(54, value) !== value) throw malformed('integers are at most 2^53 - 1', this.position);
    return Number(value);
  }

  #string(length: number): string {
    const at = this.#take(length);
    try {
      return this.#text.decode(this.#bytes.subarray(at, at + length));
    } catch {
      throw malformed('text must be UTF-8', at);
    }
  }

  #array(length: number, depth: number): unknown[] {
    this.#enter(length, depth);
    const array: unknown[] = new Array(length);
    for (let i = 0; i < length; i++) array[i] = this.value(depth + 1);
    return array;
  }

  #map(length: number, depth: number): Record<string, unknown> {
    this.#enter(2 * length, depth);
    const map: Record<string, unknown> = {};
    for (let i = 0; i < length; i++) {
      const key = this.value(depth + 1);
      if (typeof key !== 'string') throw malformed('the keys of a map must be text', this.position);
      if (forbiddenKeys.has(key)) throw malformed(`the key '${key}' is not accepted`, this.position);
      if (Object.hasOwn(map, key)) throw malformed(`the key '${key}' is given twice`, this.position);
      map[key] = this.value(depth + 1);
    }
    return map;
  }

  /** Every value takes a byte at least, so a length that the body cannot hold is refused before memory is taken. */
  #enter(values: number, depth: number): void {
    if (depth >= maxDepth) throw malformed(`values are nested deeper than ${maxDepth}`, this.position);
    if (values > this.#bytes.length - this.position) throw malformed('the body ends inside a value', this.position);
  }
}

function malformed(what: string, position: number): Problem {
  return new Problem('malformed-body', `not the MessagePack of a request: ${what} (byte ${position})`);
}

type Project = (value: unknown) => unknown;

/** As much of a JSON schema as responses use. */
interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  /** Of single values only: a number or null, say. */
  readonly anyOf?: readonly Schema[];
}

function responseSchema(request: FastifyRequest, reply: FastifyReply): Schema | undefined {
  const responses = request.routeOptions.schema?.response as Readonly<Record<number, Schema>> | undefined;
  return responses?.[reply.statusCode];
}

/** A function that copies what a schema names and throws where a value is not of its type, as the JSON writer does. */
function projection(schema: Schema): Project {
  if (schema.additionalProperties === true) return (value) => value;
  if (schema.properties !== undefined) return record(schema.properties, new Set(schema.required));
  const [values] = Object.values(schema.patternProperties ?? {});
  if (values !== undefined) return dictionary(projection(values));
  if (schema.items !== undefined) return list(projection(schema.items));
  const types = (schema.anyOf ?? [schema]).map(({ type }) => (type === 'integer' ? 'number' : type));
  return (value) => {
    const type = value === null ? 'null' : typeof value;
    if (!types.includes(type))
      throw new TypeError(`a response holds ${type} where its schema says ${types.join(' or ')}`);
    return value;
  };
}

function record(properties: Readonly<Record<string, Schema>>, required: ReadonlySet<string>): Project {
  const fields = Object.entries(properties).map(([name, schema]) => [name, projection(schema)] as const);
  return (value) => {
    const source = value as Readonly<Record<string, unknown>>;
    const copy: Record<string, unknown> = {};
    for (const [name, project] of fields) {
      if (source[name] !== undefined) copy[name] = project(source[name]);
      else if (required.has(name)) throw new TypeError(`a response lacks '${name}'`);
    }
    return copy;
  };
}

function dictionary(project: Project): Project {
  return (value) => Object.fromEntries(Object.entries(value as object).map(([name, entry]) => [name, project(entry)]));
}

/** Typed arrays hold numbers only, so they pass whole. */
function list(project: Project): Project {
  return (value) => (ArrayBuffer.isView(value) ? value : (value as unknown[]).map(project));
}
