import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { concordat, grpc } from '#generated/concordat.js';
import * as definitions from './definitions.js';
import { decode, encode } from './wire.js';

const { KeyReleaseRequest, KeyReleaseResponse, PublishResponse, StatusResponse } =
  concordat.node.v1;
const LIMIT = 1 << 20;

const malformed = expect.objectContaining({ code: 'REQUEST_INVALID' });

describe('decode', () => {
  test('answers what was encoded, as plain data with the choice named', () => {
    const bytes = (...values: number[]) => new Uint8Array(values);
    const answer: concordat.node.v1.KeyReleaseResponse = {
      answers: [
        {
          statement: 0,
          release: 7,
          outcome: 'released',
          released: { keys: [{ section: 'identity', key: bytes(1, 2) }], records: [0], seals: [] },
        },
        { statement: 1, release: 0, outcome: 'later', later: { waitMs: 50 } },
      ],
      records: [bytes(9)],
    };
    const read = decode(KeyReleaseResponse, encode(KeyReleaseResponse, answer, LIMIT), LIMIT);
    expect(read.answers[0]).toMatchObject(answer.answers[0] ?? {});
    expect({ ...read.answers[1] }).toMatchObject(answer.answers[1] ?? {});
    expect(read.records).toEqual(answer.records);
  });

  test('sets every field of an empty message', () => {
    expect(decode(PublishResponse, new Uint8Array(), LIMIT)).toEqual({
      eventId: '',
      lane: 0,
      epoch: 0,
      blockNumber: 0,
      leaf: 0,
      repeated: false,
    });
  });

  test('drops unknown fields', () => {
    // field 15, varint 1
    expect(decode(PublishResponse, new Uint8Array([0x78, 0x01]), LIMIT)).not.toHaveProperty(
      '$unknowns',
    );
  });

  test('keeps a map key __proto__ an ordinary key', () => {
    const counters: Record<string, number> = JSON.parse('{"__proto__":3,"a":1}');
    const status = { ...decode(StatusResponse, new Uint8Array(), LIMIT), counters };
    const read = decode(StatusResponse, encode(StatusResponse, status, LIMIT), LIMIT);
    expect(Object.entries(read.counters)).toEqual([
      ['__proto__', 3],
      ['a', 1],
    ]);
    expect({}).not.toHaveProperty('a');
  });

  test('carries integers up to 2^53 - 1', () => {
    const answer = { ...decode(PublishResponse, new Uint8Array(), LIMIT) };
    const largest = { ...answer, blockNumber: Number.MAX_SAFE_INTEGER };
    expect(decode(PublishResponse, encode(PublishResponse, largest, LIMIT), LIMIT)).toEqual(
      largest,
    );
  });

  test.each<[name: string, bytes: number[]]>([
    ['a text cut short', [0x0a, 0x05, 0x61]],
    ['a text that is no UTF-8', [0x0a, 0x01, 0xff]],
    ['a varint without end', [0x10, ...Array<number>(12).fill(0xff)]],
    ['an integer of 2^53', [0x20, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ['a tag of field 0', [0x00]],
    ['a group that never ends', [0x0b]],
  ])('refuses %s', (_name, bytes) => {
    expect(() => decode(PublishResponse, new Uint8Array(bytes), LIMIT)).toThrow(malformed);
  });

  test('refuses a small message that would become a million objects', () => {
    const bytes = Buffer.from('0a00'.repeat(400_000), 'hex');
    expect(() => decode(KeyReleaseRequest, bytes, LIMIT)).toThrow(malformed);
  });

  test('refuses a message over its limit, and so does encode', () => {
    const tooLarge = expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' });
    expect(() => decode(PublishResponse, new Uint8Array(11), 10)).toThrow(tooLarge);
    const request = { statements: [{ statement: new Uint8Array(10), wanted: new Uint8Array(0) }] };
    expect(() => encode(KeyReleaseRequest, request, 10)).toThrow(tooLarge);
  });
});

test('every call of proto/ is defined, with its messages and its kind', () => {
  const root = join(import.meta.dirname, '../../../../../proto');
  const texts = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.proto'))
    .map((name) => readFileSync(join(root, name), 'utf8'));
  const inProtos = texts.flatMap((text) => {
    const name = /^package (\S+);/m.exec(text)?.[1] ?? '';
    return [...text.matchAll(/^service (\w+) \{([^}]*)\}/gm)].flatMap(([, service, body]) =>
      [...(body ?? '').matchAll(/rpc (\w+)\((stream )?(\w+)\) returns \((stream )?(\w+)\)/g)].map(
        ([, method, sent = '', request, streamed = '', response]) =>
          `/${name}.${service}/${method} ${sent}${request} ${streamed}${response}`,
      ),
    );
  });

  const versions: readonly object[] = [
    ...Object.values(concordat).map(({ v1 }) => v1),
    ...[grpc.health.v1, grpc.reflection.v1, grpc.reflection.v1alpha],
  ];
  const nameOf = (type: unknown) =>
    versions
      .flatMap((messages): [string, unknown][] => Object.entries(messages))
      .find(([, one]) => one === type)?.[0];
  const defined = Object.values(definitions)
    .filter((one): one is typeof one & definitions.AnyService => typeof one === 'object')
    .flatMap((service: definitions.AnyService) =>
      Object.entries(service.methods).map(([key, { request, response, kind }]) => {
        const path = definitions.methodPath(service, key);
        const streamed = kind === 'stream' || kind === 'bidi' ? 'stream ' : '';
        const sent = kind === 'clientStream' || kind === 'bidi' ? 'stream ' : '';
        return `${path} ${sent}${nameOf(request)} ${streamed}${nameOf(response)}`;
      }),
    );
  expect(defined.toSorted()).toEqual(inProtos.toSorted());
});
