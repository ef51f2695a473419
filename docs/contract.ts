/** The contract as the proto files have it, with the comments that are its documentation. */
import { fromBinary } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
  type MethodDescriptorProto,
} from '@bufbuild/protobuf/wkt';

export interface Documented {
  readonly name: string;
  readonly comment: string;
}

export interface Method extends Documented {
  readonly request: string;
  readonly answer: string;
  readonly isStream: boolean;
}

export interface Service extends Documented {
  readonly methods: readonly Method[];
}

export interface Field extends Documented {
  readonly type: string;
  readonly number: number;
}

export interface Message extends Documented {
  readonly fields: readonly Field[];
}

export interface Enumeration extends Documented {
  readonly values: readonly (Documented & { readonly number: number })[];
}

/** In the order of the files' names and of what stands in them. */
export interface Contract {
  readonly services: readonly Service[];
  readonly messages: readonly Message[];
  readonly enumerations: readonly Enumeration[];
}

/** Reads what `buf build --as-file-descriptor-set` made; of it only the files of BUSY. */
export function readContract(descriptorSet: Uint8Array): Contract {
  const files = fromBinary(FileDescriptorSetSchema, descriptorSet)
    .file.filter((file) => file.package === 'busy.v1')
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    services: files.flatMap(servicesOf),
    messages: files.flatMap((file) =>
      file.messageType.flatMap((type, index) => messagesOf(type, '', commentsOf(file), [4, index])),
    ),
    enumerations: files.flatMap((file) =>
      file.enumType.map((type, index) => enumerationOf(type, '', commentsOf(file), [5, index])),
    ),
  };
}

/** Finds the comment of what stands at a path of field numbers and indexes (see descriptor.proto, SourceCodeInfo). */
type Comments = (path: readonly number[]) => string;

function commentsOf(file: FileDescriptorProto): Comments {
  const byPath = new Map(
    file.sourceCodeInfo?.location.map(({ path, leadingComments }) => [path.join('.'), leadingComments]),
  );
  return (path) => (byPath.get(path.join('.')) ?? '').trim().replaceAll(/\s*\n\s*/g, ' ');
}

function servicesOf(file: FileDescriptorProto): Service[] {
  const comments = commentsOf(file);
  return file.service.map((service, index) => ({
    name: service.name,
    comment: comments([6, index]),
    methods: service.method.map((method, at) => methodOf(method, comments([6, index, 2, at]))),
  }));
}

function methodOf(method: MethodDescriptorProto, comment: string): Method {
  return {
    name: method.name,
    comment,
    request: shortName(method.inputType),
    answer: shortName(method.outputType),
    isStream: method.serverStreaming,
  };
}

/** A message and those that are declared inside of it. */
function messagesOf(
  type: DescriptorProto,
  prefix: string,
  comments: Comments,
  path: readonly number[],
): Message[] {
  const name = prefix + type.name;
  const maps = new Map(
    type.nestedType.filter(({ options }) => options?.mapEntry).map((map) => [map.name, map]),
  );
  const own = {
    name,
    comment: comments(path),
    fields: type.field.map((field, index) => ({
      name: field.name,
      number: field.number,
      type: typeOf(field, maps),
      comment: comments([...path, 2, index]),
    })),
  };
  const inner = type.nestedType.flatMap((nested, index) =>
    maps.has(nested.name) ? [] : messagesOf(nested, `${name}.`, comments, [...path, 3, index]),
  );
  return [own, ...inner];
}

function enumerationOf(
  type: EnumDescriptorProto,
  prefix: string,
  comments: Comments,
  path: readonly number[],
): Enumeration {
  return {
    name: prefix + type.name,
    comment: comments(path),
    values: type.value.map(({ name, number }, index) => ({
      name,
      number,
      comment: comments([...path, 2, index]),
    })),
  };
}

function typeOf(field: FieldDescriptorProto, maps: ReadonlyMap<string, DescriptorProto>): string {
  const [key, value] = maps.get(shortName(field.typeName))?.field ?? [];
  if (key && value) return `map of ${typeOf(key, maps)} to ${typeOf(value, maps)}`;
  const name = field.typeName === '' ? scalarName(field.type) : shortName(field.typeName);
  if (field.label === FieldDescriptorProto_Label.REPEATED) return `list of ${name}`;
  return field.proto3Optional ? `${name}, may be absent` : name;
}

function scalarName(type: FieldDescriptorProto_Type): string {
  return FieldDescriptorProto_Type[type].toLowerCase();
}

function shortName(fullName: string): string {
  return fullName.replace(/^\.(?:busy\.v1|google\.protobuf)\./, '').replace(/^\./, '');
}
