import type { Labels, NodeId, ServiceId, TaskId } from '../model/meta.ts';
import { OrchError } from '../model/errors.ts';
import type { Platform } from '../model/node.ts';

/** What templates in a service's env, hostname and mounts may name; the same as Docker Swarm's. */
export type TemplateContext = {
  readonly service: { readonly id: ServiceId; readonly name: string; readonly labels: Labels };
  readonly node: { readonly id: NodeId; readonly hostname: string; readonly platform: Platform };
  /** `slot` is the node's id for global services. */
  readonly task: { readonly id: TaskId; readonly name: string; readonly slot: string };
};

/** Replaces each `{{...}}` of `text`. Throws ORCH_INVALID for one that says nothing we know. */
export function expandTemplate(text: string, context: TemplateContext): string {
  if (!text.includes('{{')) return text;
  return text.replaceAll(/\{\{(.*?)\}\}/gs, (whole: string, inside: string) => {
    const value = evaluate(inside.replace(/^-\s/, '').replace(/\s-$/, '').trim(), context);
    if (value === undefined) {
      throw new OrchError('ORCH_INVALID', `Template ${whole} in "${text}" is not known`, { hint: `Known are ${[...Object.keys(fields), '.Service.Labels.NAME', 'index .Service.Labels "NAME"'].join(', ')}` });
    }
    return value;
  });
}

const fields: Readonly<Record<string, (context: TemplateContext) => string>> = {
  '.Service.ID': ({ service }) => service.id,
  '.Service.Name': ({ service }) => service.name,
  '.Node.ID': ({ node }) => node.id,
  '.Node.Hostname': ({ node }) => node.hostname,
  '.Node.Platform.OS': ({ node }) => node.platform.os,
  '.Node.Platform.Architecture': ({ node }) => node.platform.arch,
  '.Task.ID': ({ task }) => task.id,
  '.Task.Name': ({ task }) => task.name,
  '.Task.Slot': ({ task }) => task.slot,
};

/** A label that the service does not have is empty text, as an absent key of a Go map. */
function evaluate(expression: string, context: TemplateContext): string | undefined {
  if (Object.hasOwn(fields, expression)) return fields[expression]?.(context);
  const [, quoted, plain] = /^(?:index\s+\.Service\.Labels\s+"([^"]+)"|\.Service\.Labels\.(\w+))$/.exec(expression) ?? [];
  const label = quoted ?? plain;
  return label === undefined ? undefined : context.service.labels[label] ?? '';
}
