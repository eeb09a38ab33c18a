import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { applyChanges } from './import-changes.ts';

describe('changes of an import', () => {
  it('become the image configuration', () => {
    assert.deepEqual(applyChanges([
      'CMD ["sh", "-c", "echo hi"]', 'entrypoint /init --fast', 'ENV A=1 B="two words" C=es\\ caped', "env D='single $x'", 'ENV OLD form with = signs', 'ENV A=2',
      'WORKDIR /srv', 'USER 1000:1000', 'EXPOSE 80 53/udp', 'EXPOSE 0443/tcp', 'LABEL a.b=c "d e"="f\\"g"', 'VOLUME /data /logs', 'VOLUME ["/with space"]', 'STOPSIGNAL SIGQUIT',
    ]), {
      Cmd: ['sh', '-c', 'echo hi'], Entrypoint: ['/bin/sh', '-c', '/init --fast'],
      Env: ['B=two words', 'C=es caped', 'D=single $x', 'OLD=form with = signs', 'A=2'],
      WorkingDir: '/srv', User: '1000:1000', ExposedPorts: { '80/tcp': {}, '53/udp': {}, '443/tcp': {} }, Labels: { 'a.b': 'c', 'd e': 'f"g' },
      Volumes: { '/data': {}, '/logs': {}, '/with space': {} }, StopSignal: 'SIGQUIT',
    });
    assert.deepEqual(applyChanges([]), {});
  });

  const refused: Readonly<Record<string, string>> = {
    'ONBUILD RUN make': 'ONBUILD is not possible when an image is imported; use CMD, ENTRYPOINT, ENV, LABEL, WORKDIR, USER, EXPOSE, VOLUME, STOPSIGNAL',
    'RUN rm -rf /': 'RUN is not possible when an image is imported; use CMD, ENTRYPOINT, ENV, LABEL, WORKDIR, USER, EXPOSE, VOLUME, STOPSIGNAL',
    '': 'an empty line is not possible when an image is imported; use CMD, ENTRYPOINT, ENV, LABEL, WORKDIR, USER, EXPOSE, VOLUME, STOPSIGNAL',
    CMD: 'its argument is missing', 'CMD [sh]': 'the list is not valid JSON', 'CMD [1]': 'the list must hold texts', 'ENV A': 'write NAME=VALUE', 'ENV A="b': 'a quote is not closed',
    'ENV A=1 B': '"B" is not NAME=VALUE', 'WORKDIR srv': 'the directory must begin with a slash', 'EXPOSE http': '"http" is not a port such as 80 or 53/udp', 'EXPOSE 70000': '"70000" is not a port such as 80 or 53/udp',
    'STOPSIGNAL please': 'write a signal such as SIGTERM',
  };
  for (const [line, why] of Object.entries(refused)) {
    it(`refuse "${line}"`, () => assert.throws(() => applyChanges(['USER a', line]), { code: 'ORCH_INVALID', message: `Cannot apply the change "${line}": ${why}` }));
  }
});
