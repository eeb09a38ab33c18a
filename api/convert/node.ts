import type { Cluster } from '../../model/cluster.ts';
import type { Node, NodeDescription, NodeSpec } from '../../model/node.ts';
import type { ControlPlane } from '../control-plane.ts';
import { bodyProblems } from './body-problems.ts';
import { ObjectReader } from './object-reader.ts';
import { machineName } from './platform.ts';
import { formatTime } from './time.ts';
import { withoutUndefined } from './without-undefined.ts';

/** Docker's NodeSpec; as in Docker, role and availability must be there and the rest is replaced. Throws ORCH_INVALID. */
export function readNodeSpec(body: unknown): NodeSpec {
  const problems = bodyProblems();
  const reader = new ObjectReader(body ?? {}, '', problems);
  for (const key of ['Role', 'Availability']) if (!reader.has(key)) reader.invalid(key, 'must be given');
  const spec: NodeSpec = {
    name: reader.text('Name') ?? '', labels: reader.textMap('Labels') ?? {},
    role: reader.oneOf('Role', ['worker', 'manager']) ?? 'worker',
    availability: reader.oneOf('Availability', ['active', 'pause', 'drain']) ?? 'active',
  };
  reader.end();
  problems.throwIfAny();
  return spec;
}

/** Docker's Node. */
export function dockerNode(node: Node, cluster: Cluster, manager: ReturnType<ControlPlane['managerStatus']>): object {
  const { spec, description, status } = node;
  return withoutUndefined({
    ID: node.id, Version: { Index: node.version }, CreatedAt: formatTime(node.createdAtMs), UpdatedAt: formatTime(node.updatedAtMs),
    Spec: { Name: spec.name, Labels: spec.labels, Role: spec.role, Availability: spec.availability },
    Description: description && dockerDescription(description, cluster),
    Status: { State: status.state, Message: status.message, Addr: status.address },
    ManagerStatus: manager && { Leader: manager.leader, Reachability: manager.reachability, Addr: manager.address },
  });
}

const dockerDescription = ({ hostname, platform, resources, engineVersion, engineLabels }: NodeDescription, cluster: Cluster): object => ({
  Hostname: hostname,
  Platform: { Architecture: machineName(platform.arch), OS: platform.os },
  Resources: { NanoCPUs: resources.nanoCpus, MemoryBytes: resources.memoryBytes },
  Engine: { EngineVersion: engineVersion, Labels: engineLabels, Plugins: [] },
  TLSInfo: { TrustRoot: cluster.ca.certificatePem },
});
