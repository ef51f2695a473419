/** Writes settings as YAML that people read: lists in one line where they fit. */
import { Document, isScalar, visit } from 'yaml';

const longestFlow = 90;

/** Leaves out what is undefined. Ends with a line break. */
export function yamlText(settings: unknown): string {
  const document = new Document(settings, { keepUndefined: false });
  visit(document, {
    Seq(_key, node) {
      node.flow = node.items.every(isScalar) && JSON.stringify(node).length < longestFlow;
    },
  });
  return document.toString({ lineWidth: 110, flowCollectionPadding: false });
}
