import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOrchError } from '../model/errors.ts';
import type { Column } from './list-output.ts';
import { filtersQuery, renderInspect, renderList, shortId } from './list-output.ts';

type Toy = { readonly id: string; readonly name: string; readonly color: string };
const toys: readonly Toy[] = [{ id: '1', name: 'ball', color: 'red' }, { id: '22', name: 'kite', color: '' }];
const shown: Column<Toy>[] = [{ heading: 'ID', field: 'ID', read: (toy) => toy.id }, { heading: 'TOY NAME', field: 'Name', read: (toy) => toy.name }];
const more: Column<Toy>[] = [{ heading: 'COLOR', field: 'Color', read: (toy) => toy.color }];
const render = (format?: string, quiet = false) => renderList(toys, { shown, more }, { format, quiet, idField: 'ID' });

describe('renderList', () => {
  it('is a table of the shown columns by default', () => {
    assert.equal(render(), 'ID   TOY NAME\n1    ball\n22   kite');
    assert.equal(render('table'), render());
    assert.equal(renderList([], { shown }, { format: undefined, quiet: false, idField: 'ID' }), 'ID   TOY NAME');
  });

  it('is one JSON object a line, of all fields', () => assert.equal(render('json'), '{"ID":"1","Name":"ball","Color":"red"}\n{"ID":"22","Name":"kite","Color":""}'));

  it('fills a template for each item', () => {
    assert.equal(render('{{.ID}}={{.Color}}'), '1=red\n22=');
    assert.throws(() => render('{{.Shape}}'), (error) => isOrchError(error, 'ORCH_USAGE') && /there are \.ID \.Name \.Color/.test(error.message));
  });

  it('puts headings over a template that begins with table', () => assert.equal(render('table {{.ID}}\\t{{.Name}}\\t{{.Color}}'), 'ID   TOY NAME   COLOR\n1    ball       red\n22   kite'));

  it('prints only ids when it is to be quiet, whatever the format', () => {
    assert.equal(render(undefined, true), '1\n22');
    assert.equal(render('json', true), '1\n22');
    assert.equal(renderList([], { shown }, { format: undefined, quiet: true, idField: 'ID' }), '');
  });
});

describe('renderInspect', () => {
  it('is a JSON array, or a template for each object', () => {
    assert.equal(renderInspect([{ A: 1 }], undefined), '[\n  {\n    "A": 1\n  }\n]');
    assert.equal(renderInspect([{ A: 1 }], 'json'), renderInspect([{ A: 1 }], undefined));
    assert.equal(renderInspect([{ A: 1 }, { A: 2 }], '{{.A}}'), '1\n2');
  });
});

describe('filtersQuery', () => {
  it("groups values by key in Docker's JSON", () => {
    assert.equal(filtersQuery([]), '');
    assert.deepEqual(JSON.parse(decodeURIComponent(filtersQuery(['label=a=b', 'label=c', 'dangling']).replace('filters=', ''))), { label: { 'a=b': true, c: true }, dangling: { '': true } });
  });
});

describe('shortId', () => {
  it('shortens ids and digests to twelve characters unless asked not to', () => {
    assert.equal(shortId('sha256:0123456789abcdef', false), '0123456789ab');
    assert.equal(shortId('sha256:0123456789abcdef', true), 'sha256:0123456789abcdef');
  });
});
