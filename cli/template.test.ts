import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isOrchError } from '../model/errors.ts';
import { compileTemplate } from './template.ts';

const service = {
  ID: 'abc', Spec: { Name: 'web', Labels: { b: '2', a: '1' } }, Ports: [{ Target: 80 }, { Target: 443 }], Tags: ['x', 'y'], Count: 3, Zero: 0, On: true, Nothing: null, Empty: [],
};
const render = (template: string) => compileTemplate(template)(service);
const renders = (cases: Readonly<Record<string, string>>) => {
  for (const [template, expected] of Object.entries(cases)) assert.equal(render(template), expected, template);
};
const refuses = (template: string, sentence: RegExp) => assert.throws(() => render(template), (error) => isOrchError(error, 'ORCH_USAGE') && sentence.test(error.message), template);

describe('compileTemplate', () => {
  it('shows fields, as Go prints them', () => renders({
    '{{.ID}}': 'abc', '{{ .ID }}': 'abc', '{{.Spec.Name}}/{{.Count}}': 'web/3', '{{.On}}': 'true', '{{.Zero}}': '0', '{{.Nothing}}': '',
    '{{.Tags}}': '[x y]', '{{.Spec.Labels}}': 'map[b:2 a:1]', '{{.Spec.Missing}}': '', '{{.Spec.Missing.Deeper}}': '', 'plain } text {': 'plain } text {', '': '',
  }));

  it('reads \\t and \\n', () => renders({ '{{.ID}}\\t{{.Count}}\\n': 'abc\t3\n' }));

  it('calls functions', () => renders({
    '{{json .Spec.Labels}}': '{"b":"2","a":"1"}', '{{json .Nothing}}': 'null', '{{json .}}': JSON.stringify(service), '{{upper .ID}}': 'ABC', '{{lower "ABC"}}': 'abc', '{{title .Spec.Name}}': 'Web',
    '{{len .Tags}}{{len .ID}}{{len .Spec.Labels}}': '232', '{{join .Tags ", "}}': 'x, y', '{{index .Spec.Labels "a"}}': '1', '{{index .Tags 1}}': 'y', '{{println .ID .Count}}': 'abc 3\n',
    '{{print .ID "-" .Count}}': 'abc-3', '{{split "a,b" ","}}': '[a b]', '{{truncate .ID 2}}': 'ab', '{{eq .ID "abc"}} {{ne .ID "abc"}} {{not .Zero}}': 'true false true',
    '{{and .On .ID}}{{or .Zero .ID}}': 'abcabc', '{{upper "a \\"b\\" }} c"}}': 'A "B" }} C',
  }));

  it('pipes a value into the next function', () => renders({ '{{.ID | upper}}': 'ABC', '{{.Spec.Name|title|json}}': '"Web"' }));

  it('repeats for each item of a list and each value of a map', () => renders({
    '{{range .Ports}}{{.Target}};{{end}}': '80;443;', '{{range .Spec.Labels}}{{.}}{{end}}': '21', '{{range .Empty}}x{{else}}none{{end}}': 'none', '{{range .Tags}}{{range .}}{{end}}{{.}}{{end}}': 'xy',
  }));

  it('chooses by truth as Go knows it', () => renders({
    '{{if .On}}yes{{else}}no{{end}}': 'yes', '{{if .Zero}}yes{{end}}': '', '{{if .Empty}}yes{{else}}no{{end}}': 'no', '{{if .Zero}}a{{else if .On}}b{{else}}c{{end}}': 'b',
    '{{if .Zero}}a{{else if .Empty}}b{{else}}c{{end}}!': 'c!', '{{if eq .Count 3}}three{{end}}': 'three',
  }));

  it('trims white space beside a dash', () => renders({ 'a {{- .ID -}} b': 'aabcb', 'a {{.ID -}}\\n b': 'a abcb' }));
});

describe('compileTemplate, of what is wrong', () => {
  it('names a field that does not exist, and those that do', () => refuses('{{.Name}}', /no field \.Name; there are \.ID \.Spec/));

  it('says what it does not understand', () => {
    refuses('{{printf "%s" .ID}}', /"printf" is not a function; there are json/);
    refuses('{{.ID .Count}}', /"\.ID" is not a function/);
    refuses('{{.ID | }}', /"" is not a function/);
    refuses('{{ID}}', /"ID" is not a field; fields begin with a dot/);
    refuses('{{upper $x}}', /"\$x" is not a field/);
    refuses('{{}}', /a pair of braces is empty/);
    refuses('a {{.ID', /a pair of braces is not closed/);
    refuses('{{if .ID}}x', /an \{\{end\}\} is missing/);
    refuses('{{if .ID}}x{{else}}y', /an \{\{end\}\} is missing/);
    refuses('{{range .Tags}}', /an \{\{end\}\} is missing/);
    refuses('{{end}}', /an \{\{end\}\} or \{\{else\}\} too many/);
    refuses('{{constructor}}', /"constructor" is not a field/);
    refuses('{{.constructor}}', /no field \.constructor/);
  });

  it('never fails but with a sentence, whatever is written', () => {
    const word = fc.constantFrom('{{', '}}', '.ID', 'range', 'if', 'else', 'end', ' ', '|', '"', 'json', '.Spec.Name', '-', 'x', '\\');
    fc.assert(fc.property(fc.array(word, { maxLength: 12 }), (words) => {
      try {
        assert.equal(typeof render(words.join('')), 'string');
      } catch (error) {
        assert.ok(isOrchError(error, 'ORCH_USAGE'), String(error));
      }
    }));
  });
});
