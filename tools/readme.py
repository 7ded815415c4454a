"Write README.md from nbs/index.ipynb: without hidden cells, sources marked `echo: false` and directives; links from the root"
import argparse, base64, posixpath, re, sys
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter

ROOT = Path(__file__).resolve().parents[1]
HEADER = '<!-- Made by tools/readme.py from nbs/index.ipynb: edit that, then run `python tools/readme.py`. -->\n\n'
DIRECTIVE = re.compile(r'^\s*#\s*\|.*\n?', re.M)
HIDE = re.compile(r'(\s*#\s*\|.*\n)*\s*#\s*\|\s*hide\b')
NO_ECHO = re.compile(r'(\s*#\s*\|.*\n)*\s*#\s*\|\s*echo:\s*false\b')
TITLE = re.compile(r"""(?:suptitle\(|title=)(["'])(.+?)\1""")
LINK = re.compile(r'(\]\(|\b(?:src|href)=["\'])(?!\w+:|[#/])([^)\s"\']+)')

def from_root(text):
    "Relative links of a notebook in nbs/ as seen from the root; code stays as it is"
    parts = re.split(r'(^```.*?^```|`[^`\n]*`)', text, flags=re.S | re.M)
    moved = lambda m: m[1] + posixpath.normpath(f'nbs/{m[2]}')
    return ''.join(p if i % 2 else LINK.sub(moved, p) for i, p in enumerate(parts))

def picture(nb, cell, png):
    "Keep the picture of a cell as a file beside the notebook, and a link to it"
    data, file = base64.b64decode(png), nb.parent/f'images/{nb.stem}-{cell.id}.png'
    file.parent.mkdir(exist_ok=True)
    if not file.exists() or file.read_bytes() != data: file.write_bytes(data)
    said = TITLE.search(cell.source)
    return f'![{said[2] if said else "Figure"}](images/{file.name})'

def readme(nb):
    "README text of the notebook at path `nb`"
    book = nbformat.read(nb, as_version=4); keep = []
    for c in book.cells:
        if c.cell_type == 'raw' or c.cell_type == 'code' and HIDE.match(c.source): continue
        if c.cell_type == 'code':
            if NO_ECHO.match(c.source):
                text = ''.join(o.get('text', '') for o in c.outputs).rstrip()
                parts = [picture(nb, c, o['data']['image/png']) for o in c.outputs if 'image/png' in o.get('data', {})]
                if text: parts.insert(0, f'```text\n{text}\n```')
                keep.append(nbformat.v4.new_markdown_cell('\n\n'.join(parts)))
                continue
            c.source = DIRECTIVE.sub('', c.source).strip('\n')
            if not c.source and not c.outputs: continue
            if any(k.startswith('image/') for o in c.outputs for k in o.get('data', {})): sys.exit(
                f'{nb.name} #{c.id}: a README cannot show a picture that a cell draws; '
                'mark the cell `echo: false`, or save it under nbs/images and link it in markdown')
        keep.append(c)
    book.cells, book.metadata['language_info'] = keep, {'name': 'python'}   # nbdev_clean removes the language
    text, _ = MarkdownExporter().from_notebook_node(book)
    return HEADER + re.sub(r'\n{3,}', '\n\n', from_root(text)).strip() + '\n'

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--out', type=Path, default=ROOT/'README.md', help='file to write')
    out, nb = p.parse_args().out, ROOT/'nbs/index.ipynb'
    if not nb.exists(): sys.exit('readme: nbs/index.ipynb is not there')
    text = readme(nb)
    if not out.exists() or out.read_text(encoding='utf-8') != text: out.write_text(text, encoding='utf-8')

if __name__ == '__main__': main()
