import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../model/errors.ts';
import { expandTemplate, type TemplateContext } from './expand-template.ts';

const context: TemplateContext = {
  service: { id: 's1', name: 'web', labels: { 'com.example.tier': 'front', team: 'a' } },
  node: { id: 'n1', hostname: 'host1', platform: { os: 'linux', arch: 'amd64' } },
  task: { id: 't1', name: 'web.2.t1', slot: '2' },
};

describe('templates of a service', () => {
  it('name service, node and task as Docker Swarm\'s do', () => {
    assert.equal(expandTemplate('{{.Service.ID}} {{.Service.Name}} {{.Node.ID}} {{.Node.Hostname}} {{.Node.Platform.OS}}/{{.Node.Platform.Architecture}} {{.Task.ID}} {{.Task.Name}} {{.Task.Slot}}', context),
      's1 web n1 host1 linux/amd64 t1 web.2.t1 2');
  });

  it('may have blanks and trim marks inside', () => assert.equal(expandTemplate('a-{{ .Task.Slot }}-{{- .Task.Slot -}}', context), 'a-2-2'));

  it('reach labels by name, absent ones being empty', () => {
    assert.equal(expandTemplate('{{index .Service.Labels "com.example.tier"}}/{{.Service.Labels.team}}/{{.Service.Labels.none}}', context), 'front/a/');
  });

  it('leave text without templates as it is', () => assert.equal(expandTemplate('A=${B} {x}', context), 'A=${B} {x}'));

  it('are refused when they say nothing we know', () => {
    for (const text of ['{{.Node.Secret}}', '{{constructor}}', '{{printf "x"}}', '{{}}']) {
      assert.throws(() => expandTemplate(text, context), (error) => isOrchError(error, 'ORCH_INVALID') && error.message.includes(text), text);
    }
  });
});
