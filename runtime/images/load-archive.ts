import { rm } from 'node:fs/promises';
import { OrchError } from '../../model/errors.ts';
import { ArchiveSpool } from './archive-spool.ts';
import type { Assembly } from './assemble-image.ts';
import type { NewImage } from './image-ledger.ts';
import { DOCKER_MANIFEST, loadDockerArchive } from './load-docker-archive.ts';
import { loadLayout } from './load-layout.ts';
import type { WantedPlatform } from './platform-match.ts';

/** Prepares the images of a `docker save` archive or an OCI layout archive; of one that is both, the Docker part, which has the full names. */
export async function loadArchive(assembly: Assembly, archive: AsyncIterable<Uint8Array>, platform: WantedPlatform): Promise<NewImage[]> {
  const directory = assembly.content.temporaryPath();
  try {
    const spool = await ArchiveSpool.read(archive, directory);
    const dockerManifest = await spool.text(DOCKER_MANIFEST);
    if (dockerManifest !== undefined) return await loadDockerArchive(assembly, spool, dockerManifest);
    if (spool.file('index.json') === undefined) {
      throw new OrchError('ORCH_CORRUPT', 'The archive is no image: it has neither manifest.json nor index.json', { hint: 'Use import for the tar of a root file system' });
    }
    return await loadLayout(assembly, platform, { text: (name) => spool.text(name), file: (name) => Promise.resolve(spool.file(name)) });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
