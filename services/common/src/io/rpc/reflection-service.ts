import { descriptors } from '#generated/descriptors.js';
import type { Profile } from '../../domain/topics.js';
import { ReflectionAlphaService, ReflectionService, type grpc } from './definitions.js';
import { type Served, serve } from './server.js';

type Question = grpc.reflection.v1.ServerReflectionRequest;
type Answer = grpc.reflection.v1.ServerReflectionResponse;

const REFLECTION = [ReflectionService, ReflectionAlphaService] as const;
const NOT_FOUND = 5;
const UNIMPLEMENTED = 12;

/** `services`, and in profile demo what tells tools about them that have no files. */
export function reflected(profile: Profile, services: readonly Served[]): readonly Served[] {
  if (profile !== 'demo') return services;
  const paths = services.flatMap(({ endpoints }) => endpoints.map(({ path }) => path));
  const names = new Set(paths.map((path) => path.split('/')[1] ?? ''));
  for (const { name } of REFLECTION) names.add(name);
  async function* answer(questions: AsyncIterable<Question>): AsyncGenerator<Answer> {
    for await (const question of questions) yield answerTo(question, [...names]);
  }
  const own = REFLECTION.map((service) => serve(service, { serverReflectionInfo: answer }));
  return [...services, ...own];
}

function answerTo(question: Question, services: readonly string[]): Answer {
  const about = { validHost: question.host, originalRequest: question };
  switch (question.messageRequest) {
    case 'listServices': {
      const service = services.map((name) => ({ name }));
      return {
        ...about,
        messageResponse: 'listServicesResponse',
        listServicesResponse: { service },
      };
    }
    case 'fileByFilename':
      return { ...about, ...fileWhere(({ name }) => name === question.fileByFilename) };
    case 'fileContainingSymbol': {
      const symbol = question.fileContainingSymbol;
      return { ...about, ...fileWhere(({ symbols }) => symbols.includes(symbol)) };
    }
    case 'fileContainingExtension':
    case 'allExtensionNumbersOfType':
      return { ...about, ...refusal(NOT_FOUND, 'there are no extensions in proto3') };
    case undefined:
      return { ...about, ...refusal(UNIMPLEMENTED, 'expected a question that is known here') };
  }
}

/** Our files import none, so each of them stands by itself. */
function fileWhere(fits: (file: (typeof descriptors)[number]) => boolean) {
  const found = descriptors.find(fits);
  if (!found) return refusal(NOT_FOUND, 'expected a file or symbol of proto/');
  const fileDescriptorProto = [Buffer.from(found.base64, 'base64')];
  return {
    messageResponse: 'fileDescriptorResponse',
    fileDescriptorResponse: { fileDescriptorProto },
  } as const;
}

function refusal(errorCode: number, errorMessage: string) {
  return { messageResponse: 'errorResponse', errorResponse: { errorCode, errorMessage } } as const;
}
