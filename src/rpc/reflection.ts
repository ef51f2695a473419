/**
 * Server reflection: answers with the exact bytes of the descriptor set that was built from the proto files, so that
 * foreign clients need no files of ours. A file is always answered together with all that it imports.
 */
import { readFile } from 'node:fs/promises';
import { fromBinary } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import {
  type DescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import type {
  ServerReflectionRequest,
  ServerReflectionResponse,
} from '../gen/grpc/reflection/v1/reflection.js';

/** What a descriptor set says, ready for questions. */
export interface Descriptors {
  readonly files: ReadonlyMap<string, { readonly bytes: Buffer; readonly imports: readonly string[] }>;
  /** From the full name of a service, method, message or enum to the file that declares it. */
  readonly fileOfSymbol: ReadonlyMap<string, string>;
  readonly services: readonly string[];
}

/** Reads a file made by `buf build --as-file-descriptor-set`. Throws what the system or the decoder says. */
export async function readDescriptors(file: string): Promise<Descriptors> {
  const files = new Map<string, { bytes: Buffer; imports: readonly string[] }>();
  const fileOfSymbol = new Map<string, string>();
  const services: string[] = [];
  for (const bytes of bytesOfFiles(await readFile(file))) {
    const descriptor = fromBinary(FileDescriptorProtoSchema, bytes);
    files.set(descriptor.name, { bytes, imports: descriptor.dependency });
    for (const symbol of symbolsOf(descriptor)) fileOfSymbol.set(symbol, descriptor.name);
    services.push(...descriptor.service.map((service) => `${descriptor.package}.${service.name}`));
  }
  return { files, fileOfSymbol, services };
}

/** Answers one question; one without an answer gets an error response. */
export function answerReflection(
  descriptors: Descriptors,
  request: ServerReflectionRequest,
): ServerReflectionResponse {
  const messageResponse = answer(descriptors, request.messageRequest);
  return { validHost: request.host, originalRequest: request, messageResponse };
}

type Question = ServerReflectionRequest['messageRequest'];
type Answer = NonNullable<ServerReflectionResponse['messageResponse']>;

function answer(descriptors: Descriptors, question: Question): Answer {
  switch (question?.$case) {
    case 'listServices':
      return {
        $case: 'listServicesResponse',
        value: { service: descriptors.services.map((name) => ({ name })) },
      };
    case 'fileByFilename':
      return fileAnswer(descriptors, question.value, question.value);
    case 'fileContainingSymbol':
      return fileAnswer(descriptors, descriptors.fileOfSymbol.get(question.value), question.value);
    case 'allExtensionNumbersOfType':
      return descriptors.fileOfSymbol.has(question.value)
        ? {
            $case: 'allExtensionNumbersResponse',
            value: { baseTypeName: question.value, extensionNumber: [] },
          }
        : notFound(question.value);
    case 'fileContainingExtension':
      return notFound(`${question.value.containingType} extension ${question.value.extensionNumber}`);
    case undefined:
      return notFound('an empty question');
    default:
      return question satisfies never;
  }
}

function fileAnswer({ files }: Descriptors, name: string | undefined, asked: string): Answer {
  if (name === undefined || !files.has(name)) return notFound(asked);
  // A set keeps its order while it grows under the loop: this walks the imports of the imports too.
  const closure = new Set([name]);
  for (const member of closure)
    for (const imported of files.get(member)?.imports ?? []) closure.add(imported);
  const bytes = [...closure].flatMap((member) => files.get(member)?.bytes ?? []);
  return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto: bytes } };
}

function notFound(asked: string): Answer {
  const errorMessage = `Nothing is known of ${asked}. List the services to see what there is.`;
  return { $case: 'errorResponse', value: { errorCode: status.NOT_FOUND, errorMessage } };
}

/** A FileDescriptorSet is its files as field 1; they are cut out, not decoded and encoded anew. */
function bytesOfFiles(set: Buffer): Buffer[] {
  const reader = new BinaryReader(set);
  const files: Buffer[] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === WireType.LengthDelimited) files.push(Buffer.from(reader.bytes()));
    else reader.skip(wireType);
  }
  return files;
}

function symbolsOf(file: FileDescriptorProto): string[] {
  const prefix = file.package === '' ? '' : `${file.package}.`;
  return [
    ...file.service.flatMap((service) => [
      prefix + service.name,
      ...service.method.map((method) => `${prefix}${service.name}.${method.name}`),
    ]),
    ...file.enumType.map((type) => prefix + type.name),
    ...file.messageType.flatMap((type) => symbolsOfMessage(type, prefix)),
  ];
}

function symbolsOfMessage(message: DescriptorProto, prefix: string): string[] {
  const name = prefix + message.name;
  return [
    name,
    ...message.enumType.map((type) => `${name}.${type.name}`),
    ...message.nestedType.flatMap((type) => symbolsOfMessage(type, `${name}.`)),
  ];
}
