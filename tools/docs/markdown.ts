/** A Markdown table with a final newline. */
export const markdownTable = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`).join('');

/** A fenced block with a final newline. */
export const fence = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\`\n`;

/** `text` with what lies between each `<!-- generated: NAME -->` and `<!-- end -->` replaced by the section of that name. Throws for a name without a section, and for a section without a place. */
export function replaceSections(text: string, sections: ReadonlyMap<string, string>): string {
  const used = new Set<string>();
  const replaced = text.replaceAll(/(?<=<!-- generated: (\S+) -->\n)[\s\S]*?(?=<!-- end -->)/g, (_old, name: string) => {
    const section = sections.get(name);
    if (section === undefined) throw new Error(`nothing generates the section "${name}"`);
    used.add(name);
    return section;
  });
  const lost = [...sections.keys()].filter((name) => !used.has(name));
  if (lost.length > 0) throw new Error(`there is no place for the generated sections ${lost.join(', ')}`);
  return replaced;
}
