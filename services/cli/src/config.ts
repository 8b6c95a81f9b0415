import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type MemberId, parseMemberId } from '@concordat/common/domain/ids.js';
import { type BrokerWay, isBrokerWay } from './domain/broker-way.js';

/** What the shell tells the command line. Settings of services in it are passed on to these. */
export interface Settings {
  /** CONCORDAT_HOME: the directory of the federation */
  readonly home: string | undefined;
  /** CONCORDAT_MEMBER: for whom we act */
  readonly member: MemberId | undefined;
  /** CONCORDAT_PROFILE: `production` or `demo`; checked by whoever uses it */
  readonly profile: string | undefined;
  /** KAFKA_BROKERS */
  readonly brokers: string | undefined;
  /** BROKER: how a broker of our own is run, `docker` or `java`; else the first that works */
  readonly brokerWay: BrokerWay | undefined;
  /** NO_COLOR (no-color.org) is not set */
  readonly allowsColor: boolean;
  /** everything that is set, for processes that we start */
  readonly environment: Readonly<Record<string, string>>;
}

function member(text: string | undefined): MemberId | undefined {
  if (text === undefined || text === '') return undefined;
  const id = parseMemberId(text);
  if (id.ok) return id.value;
  const expected = 'expected a member id of 2 to 8 lower-case letters, came another text';
  throw new ConcordatError('CONFIG_INVALID', `CONCORDAT_MEMBER: ${expected}`);
}

function brokerWay(text: string | undefined): BrokerWay | undefined {
  if (text === undefined || text === '') return undefined;
  if (isBrokerWay(text)) return text;
  throw new ConcordatError('CONFIG_INVALID', 'BROKER: expected docker or java, came another text');
}

/** @throws ConcordatError CONFIG_INVALID for a malformed CONCORDAT_MEMBER or BROKER */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const isSet = (entry: [string, string | undefined]): entry is [string, string] =>
    entry[1] !== undefined;
  const environment = Object.fromEntries(Object.entries(env).filter(isSet));
  return {
    home: environment['CONCORDAT_HOME'],
    member: member(environment['CONCORDAT_MEMBER']),
    profile: environment['CONCORDAT_PROFILE'],
    brokers: environment['KAFKA_BROKERS'],
    brokerWay: brokerWay(environment['BROKER']),
    allowsColor: (environment['NO_COLOR'] ?? '') === '',
    environment,
  };
}
