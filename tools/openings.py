"Write what every notebook opens with: the line to its neighbours with its running time, the cell for hosted notebooks; and the times in the index"
import json, re
from configparser import ConfigParser
from hashlib import md5
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINE = re.compile(r'^\[← .*(?:\n\n?|\Z)', re.M)
ROW = re.compile(r'^(\| \[(\w+)\]\(\2\.ipynb\) \| .*? \|)(?: [^|\n]* \|)?$', re.M)
HEAD = re.compile(r'^(\| notebook \| what it develops \|).*\n(\|---\|---\|).*$', re.M)
SUM = re.compile(r'(?<=two at a time they take )[\w .]*?(?= in all)')
HOSTED = '''# Alone, as on a hosted notebook: fetch the project at this version and install what it was tested with.
import os
if not any(os.path.exists(f'{{d}}/settings.ini') for d in ('.', '..')):
    !git clone -q --depth 1 --branch v{version} {git_url} && pip install -q -r {lib_name}/requirements.lock ./{lib_name}
    %cd {lib_name}/nbs'''

def said(seconds):
    "A time as a reader wants it: 4 s, 25 s, 3 min"
    if seconds < 10: return f'{max(1, round(seconds))} s'
    return f'{5 * round(seconds / 5)} s' if seconds < 118 else f'{round(seconds / 60)} min'

def lasts(time):
    "What a notebook's line says of its time"
    whole = time['cells'] + time['tests']
    more = f', with its tests {said(whole)},' if said(whole) != said(time['cells']) else ''
    return f'runs in about {said(time["cells"])}{more} on one core'

def opened(cells, name, before, after, time, ini):
    "Cells of a notebook with the line and the cell for hosted notebooks"
    first = next(c for c in cells if c['cell_type'] == 'markdown')
    text = LINE.sub('', ''.join(first['source']))
    to = lambda n, s: f'[{s}]({n}.ipynb)' if n else ''
    parts = [to(before or 'index', f'← {before or "index"}'), *([lasts(time)] if time else []), to(after, f'{after} →')]
    line = ' · '.join(p for p in parts if p)
    m = re.match(r'# [^\n]*\n\n(?:> [^\n]*(?:\n|$))+', text)
    if not m: raise SystemExit(f'openings: {name}.ipynb does not begin with a title, an empty line and a summary after ">"')
    first['source'] = f'{m[0].strip()}\n\n{line}\n\n{text[m.end():].strip()}'.strip().splitlines(keepends=True)
    code = HOSTED.format(**ini)
    export = next((c for c in cells if ''.join(c['source']).startswith('#| default_exp')), None)
    own = next((c for c in cells if ''.join(c['source']).startswith(HOSTED.splitlines()[0])), None)
    if export: export['source'] = f'{"".join(export["source"]).splitlines()[0]}\n{code}'.splitlines(keepends=True)
    elif own: own['source'] = code.splitlines(keepends=True)
    else:
        made = {'cell_type': 'code', 'execution_count': None, 'id': md5(name.encode()).hexdigest()[:8], 'metadata': {}, 'outputs': []}
        cells.insert(1, {**made, 'source': code.splitlines(keepends=True)})

def write(path, nb):
    text = json.dumps(nb, indent=1, ensure_ascii=False, sort_keys=True) + '\n'
    if text != path.read_text(encoding='utf-8'): path.write_text(text, encoding='utf-8')

def main():
    ini = ConfigParser(); ini.read(ROOT / 'settings.ini', encoding='utf-8')
    file = ROOT / 'nbs/results/times.json'
    measured = json.loads(file.read_text(encoding='utf-8')) if file.exists() else {'notebooks': {}}
    times = measured['notebooks']
    books = sorted((ROOT / 'nbs').glob('[0-9]*.ipynb')); names = [b.stem for b in books]
    for b, before, after in zip(books, ['', *names], [*names[1:], '']):
        nb = json.loads(b.read_text(encoding='utf-8'))
        opened(nb['cells'], b.stem, before, after, times.get(b.stem), ini['DEFAULT'])
        write(b, nb)
    index = ROOT / 'nbs/index.ipynb'
    if not index.exists(): return
    nb = json.loads(index.read_text(encoding='utf-8'))
    for c in nb['cells']:
        if c['cell_type'] != 'markdown' or not HEAD.search(text := ''.join(c['source'])): continue
        text = HEAD.sub(r'\1 runs in |\n\2---|', text)
        text = ROW.sub(lambda m: f'{m[1]} {said(times[m[2]]["cells"]) if m[2] in times else ""} |', text)
        whole = sum(t['cells'] for t in times.values()) / measured['workers'] if times else 0
        c['source'] = (SUM.sub(said(whole), text) if times else text).splitlines(keepends=True)
    write(index, nb)

if __name__ == '__main__': main()
