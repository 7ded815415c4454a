"`make docs`: the executed notebooks and a page for each module as a static site in _docs, which asks nothing of another host"
import argparse, ast, html, importlib, inspect, json, os, re, shutil, subprocess, sys, tempfile
from configparser import ConfigParser
from pathlib import Path

import yaml
from fastcore.docments import docments
from markdown.extensions.toc import slugify

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r'(?<=\]\()(?:([\w-]+)\.ipynb)?(#[^)\s]*)?(?=\))')
OUTSIDE = re.compile(r'(?<=\]\()\.\./(?=[^)\s]+\))')   # files of the project that are no page
FILE = re.compile(r'(<a\b[^>]*?) href="(?![a-z]+:|#)[^"]*"')   # in an output: what lay beside the notebook when it ran
WIDGET = 'application/vnd.jupyter.widget-view+json'   # would fetch its code from elsewhere
NO_ECHO = re.compile(r'#\| echo: false\b')
ALT = re.compile(r'(?<=<img alt=")No description has been provided for this image(?=")')
CODE = re.compile(r'(?<![`\w\[/])`([A-Za-z_][\w.]*)`(?![`\]])')
TITLE = re.compile(r'''(?:suptitle\(|set_title\(|title=)\s*f?(["'])((?:(?!\1).)+)\1''')
EMPTY = inspect.Parameter.empty

def cells_of(path): return json.loads(path.read_text(encoding='utf-8'))

def title_of(nb):
    "The title of a notebook: its first heading"
    return re.search(r'^# (.+)$', ''.join(nb['cells'][0]['source']), re.M)[1]

def described(nb):
    "Alternative texts of a notebook's pictures, in their order: the figure's title, or the heading above it"
    heading, texts = title_of(nb), []
    for c in nb['cells']:
        src = ''.join(c['source'])
        if c['cell_type'] == 'markdown': heading = (re.findall(r'^#+ (.+)$', src, re.M) or [heading])[-1]
        for o in c.get('outputs', []):
            if 'image/png' not in o.get('data', {}): continue
            said = TITLE.findall(src)
            text = said[-1][1].replace('\\n', ' ') if said and '{' not in said[-1][1] else f'Figure: {heading}'
            texts.append(re.sub(r'[`$*]', '', text))
    return texts

def say_pictures(page, texts):
    "Write alternative texts into a built page: mkdocs-jupyter has one sentence for all pictures"
    left = iter(texts)
    page.write_text(ALT.sub(lambda m: html.escape(next(left)), page.read_text(encoding='utf-8')), encoding='utf-8')

def target(m):
    "Where a link between notebooks leads on the site, whose anchors are slugs"
    page, part = m.groups()
    return (f'{page}.html' if page else '') + (f'#{slugify(part[1:], "-")}' if part else '')

def link_names(text, where):
    "Names of the library in prose lead to their definition; code blocks, headings and links stay as they are"
    out, fenced = [], False
    for line in text.split('\n'):
        fence = line.lstrip().startswith(('```', '~~~'))
        fenced ^= fence
        if fence or fenced: out.append(line)
        elif line.startswith('#'): out.append(line.replace('`', ''))   # the table of contents would leave code out
        else: out.append(CODE.sub(lambda m: f'[{m[0]}]({where[m[1]]})' if m[1] in where else m[0], line))
    return '\n'.join(out)

def notebook(path, where, source):
    "A notebook as the site shows it; `source` is where the project's files are read on the web"
    nb = cells_of(path)
    nb['metadata'].pop('widgets', None)
    hidden = lambda s: 'nbdev_export()' in s or s.startswith(('#| default_exp', '# Alone, as on a hosted'))
    nb['cells'] = [c for c in nb['cells'] if not hidden(''.join(c['source']))]
    for c in nb['cells']:
        if NO_ECHO.match(''.join(c['source'])): c['metadata'] = {'tags': ['hide_input']}
        if 'outputs' in c: c['outputs'] = [o for o in c['outputs'] if WIDGET not in o.get('data', {})]
        for o in c.get('outputs', []):
            if 'text/html' in o.get('data', {}): o['data']['text/html'] = FILE.sub(r'\1', ''.join(o['data']['text/html']))
        if c['cell_type'] != 'markdown': continue
        text = OUTSIDE.sub(source, LINK.sub(target, ''.join(c['source'])))
        c['source'] = link_names(text, where)
    return nb

def origins(path):
    "Which notebook and cell each definition of a module comes from"
    lines, found = path.read_text(encoding='utf-8').splitlines(), {}
    marks = [(i, *m.groups()) for i, l in enumerate(lines, 1) if (m := re.match(r'# %% \.\./nbs/(\S+)\.ipynb #(\S+)', l))]
    for n in ast.parse('\n'.join(lines)).body:
        before = [m for m in marks if m[0] < n.lineno]
        names = [n.name] if hasattr(n, 'name') else [t.id for t in getattr(n, 'targets', []) if isinstance(t, ast.Name)]
        if before: found.update({name: before[-1][1:] for name in names})
    return found

def cell(text): return ' '.join(str(text).split()).replace('|', '\\|')

def shown(anno):
    "A type without its module; a bar would end the cell of a table"
    if anno is EMPTY: return ''
    name = str(anno) if '|' in str(anno) or not hasattr(anno, '__name__') else anno.__name__
    return f'`{re.sub(r"(?:[a-z_]+[.])+(?=[A-Z])", "", name).replace(" | ", " or ").replace("|", " or ")}`'

def value(default):
    "A default as one would write it"
    text = getattr(default, '__name__', None) or repr(default)
    return '...' if text.startswith('<') or len(text) > 60 else f'`{cell(text)}`'

def parameters(f):
    "A table of parameters: what stands beside them in the source"
    rows = [(n, p) for n, p in docments(f, full=True).items() if n not in ('self', 'cls')]
    said = [(n, p) for n, p in rows if n != 'return' or p['docment'] or p['anno'] is not EMPTY]
    if not said: return ''
    out = ['| parameter | type | default | meaning |', '|---|---|---|---|']
    for n, p in said:
        default = '' if n == 'return' or p['default'] is EMPTY else value(p['default'])
        out.append(f'| {"*returns*" if n == "return" else f"`{n}`"} | {cell(shown(p["anno"]))} | {default} | {cell(p["docment"] or "")} |')
    return '\n'.join(out) + '\n'

def call(name, f):
    "How it is called, without types: the table has them"
    if not callable(f): return name
    try: ps = inspect.signature(f).parameters.values()
    except (TypeError, ValueError): return name
    plain = lambda d: d is not EMPTY and len(repr(d)) <= 30 and not repr(d).startswith('<')
    bare = lambda p: str(p.replace(annotation=EMPTY, default=p.default if plain(p.default) else EMPTY))
    short = [bare(p) + ('' if p.default is EMPTY or plain(p.default) else '=...') for p in ps if p.name not in ('self', 'cls')]
    one = f'{name}({", ".join(short)})'
    return one if len(one) < 90 else f'{name}(\n    ' + ',\n    '.join(short) + ')'

def entry(name, obj, level, anchor):
    "Heading, call, docstring and parameters of a function, class or method"
    doc = inspect.getdoc(obj) or ''
    if inspect.isclass(obj) and not obj.__dict__.get('__doc__'): doc = ''
    if isinstance(obj, property): return f'{"#" * level} {name} {{#{anchor}}}\n\nA property. {doc}\n\n'
    if not callable(obj): return f'{"#" * level} {name} {{#{anchor}}}\n\nA value: `{cell(repr(obj))[:200]}`\n\n'
    table = parameters(obj)
    return f'{"#" * level} {name} {{#{anchor}}}\n\n```python\n{call(name, obj)}\n```\n\n{doc}\n\n{table}\n'

def methods(cls):
    "Public methods and properties of a class, with those of its private bases, in which a long class is written"
    found = {}
    for c in reversed([c for c in cls.__mro__ if c is cls or c.__name__.startswith('_') and c.__module__.startswith('tvproxy.')]):
        for k, v in vars(c).items():
            f = getattr(v, '__func__', v)   # of a class method or a static one
            if not k.startswith('_') and (inspect.isroutine(f) or isinstance(v, property)): found[k] = f
    return found

def api_page(module, names):
    "The public names of a module, in their order there"
    mod = importlib.import_module(f'tvproxy.{module}')
    came, out = origins(Path(mod.__file__)), [f'# tvproxy.{module}\n\n{inspect.getdoc(mod) or ""}\n']
    for n in sorted(names, key=lambda n: list(came).index(n) if n in came else 0):
        obj = getattr(mod, n)
        out.append(entry(n, obj, 2, n))
        if n in came: out.append(f'Developed in [{came[n][0]}](../{came[n][0]}.html#cell-id={came[n][1]}).\n\n')
        if not inspect.isclass(obj): continue
        out += [entry(f'{n}.{k}', v, 3, f'{n}.{k}') for k, v in methods(obj).items()]
    return '\n'.join(out)

def assemble(src, source):
    "Write what mkdocs reads; (title, file) of notebooks and of API pages, in reading order"
    sys.path.insert(0, str(ROOT))
    books, where, api = sorted((ROOT / 'nbs').glob('[0-9]*.ipynb')), {}, []
    lines = [(p, p.read_text(encoding='utf-8')) for p in (ROOT / 'tvproxy').glob('[a-z]*.py')]
    first = lambda text: (re.findall(r'# %% \.\./nbs/(\S+)\.ipynb', text) or ['~'])[0]
    (src / 'api').mkdir(parents=True)
    for p, text in sorted(lines, key=lambda x: first(x[1])):
        names = importlib.import_module(f'tvproxy.{p.stem}').__all__
        if not names: continue
        (src / 'api' / f'{p.stem}.md').write_text(api_page(p.stem, names), encoding='utf-8')
        api.append((p.stem, f'api/{p.stem}.md'))
        for n in names: where.setdefault(n, f'api/{p.stem}.html#{n}')
    pages = []
    for b in [ROOT / 'nbs/index.ipynb', *books]:
        nb = notebook(b, where, source)
        (src / b.name).write_text(json.dumps(nb), encoding='utf-8')
        pages.append(('Home' if b.stem == 'index' else f'{b.stem.split("_")[0]} {title_of(nb)}', b.name))
    shutil.copytree(ROOT / 'nbs/images', src / 'images')
    shutil.copytree(ROOT / 'site', src / 'site')
    return pages, api

def look(scheme, icon, other):
    return {'scheme': scheme, 'media': f'(prefers-color-scheme: {"light" if scheme == "default" else "dark"})',
            'toggle': {'icon': icon, 'name': f'Switch to {other} mode'}}

def config(ini, pages, api, src, out):
    "Settings of mkdocs"
    theme = {'name': 'material', 'font': False, 'language': 'en',   # no font from elsewhere
             'features': ['navigation.footer', 'navigation.top', 'navigation.sections', 'toc.follow', 'search.highlight'],
             'palette': [look('default', 'material/weather-night', 'dark'), look('slate', 'material/weather-sunny', 'light')]}
    return {'site_name': ini['title'], 'site_description': ini['description'], 'copyright': ini['copyright'],
            'site_url': f'{ini["doc_host"]}{ini["doc_baseurl"]}/', 'docs_dir': str(src), 'site_dir': str(out),
            'use_directory_urls': False, 'theme': theme,   # so that the pages can be opened from a disk
            'extra': {'social': [{'icon': 'fontawesome/brands/github', 'link': ini['git_url'], 'name': 'Source'}], 'generator': False},
            'extra_css': ['site/katex/katex.min.css', 'site/tvproxy.css'],
            'extra_javascript': ['site/katex/katex.min.js', 'site/katex/auto-render.min.js', 'site/tvproxy.js'],
            'plugins': ['search', {'mkdocs-jupyter': {'execute': False, 'ignore_h1_titles': True,
                                                      'remove_tag_config': {'remove_input_tags': ['hide_input']}}}],
            'markdown_extensions': ['tables', 'attr_list', 'pymdownx.highlight', 'pymdownx.superfences'],
            'nav': [{'Home': 'index.ipynb'}, {'Notebooks': [{t: f} for t, f in pages[1:]]}, {'API': [{t: f} for t, f in api]}]}

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--out', type=Path, default=ROOT / '_docs', help='folder of the site, written anew')
    a = p.parse_args()
    ini = ConfigParser(); ini.read(ROOT / 'settings.ini', encoding='utf-8'); ini = ini['DEFAULT']
    with tempfile.TemporaryDirectory() as tmp:
        src, file = Path(tmp) / 'src', Path(tmp) / 'mkdocs.yml'
        pages, api = assemble(src, f'{ini["git_url"]}/blob/{ini["branch"]}/')
        file.write_text(yaml.safe_dump(config(ini, pages, api, src, a.out.resolve()), sort_keys=False), encoding='utf-8')
        env = {**os.environ, 'NO_MKDOCS_2_WARNING': '1'}   # of the theme: an advertisement
        done = subprocess.run([sys.executable, '-m', 'mkdocs', 'build', '--strict', '-q', '-f', file], env=env, cwd=tmp)   # its cache goes there
        if not done.returncode:
            for _, f in pages:
                say_pictures(a.out / f.replace('.ipynb', '.html'), described(cells_of(src / f)))
    if not done.returncode: print(f'{len(pages)} notebooks and {len(api)} modules in {a.out}: open {a.out / "index.html"}')
    sys.exit(done.returncode)

if __name__ == '__main__': main()
