"What a reader sees: the site and JupyterLab in a real Chromium. `make test-browser` runs this; elsewhere it is left out"
import functools, http.server, json, os, re, shutil, signal, subprocess, sys, threading, time
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.browser
BROWSERS = 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'

@pytest.fixture(scope='module')
def chromium():
    "A browser; without one, or without playwright, the tests are skipped and say why"
    sync = pytest.importorskip('playwright.sync_api', reason='playwright is not installed; `make test-browser` does it')
    with sync.sync_playwright() as p:
        own = next(filter(None, map(shutil.which, BROWSERS)), None)
        if not own and not os.path.exists(p.chromium.executable_path):
            pytest.skip('no Chromium is installed: `playwright install chromium` gets one')
        browser = p.chromium.launch(executable_path=own, args=['--no-sandbox'] if os.getuid() == 0 else [])
        context = browser.new_context()
        context.set_default_timeout(120_000)   # of a busy machine
        yield context
        browser.close()

@pytest.fixture(scope='module')
def site(tmp_path_factory):
    "The site, built now and served from this machine: its address"
    pytest.importorskip('mkdocs_jupyter', reason='mkdocs-jupyter is not installed; `make docs` does it')
    out = tmp_path_factory.mktemp('site')
    start = time.time()
    made = subprocess.run([sys.executable, ROOT / 'tools/docs.py', '--out', out], capture_output=True, text=True)
    assert made.returncode == 0 and 'WARNING' not in made.stderr, made.stderr[-2000:]
    print(f'site built in {time.time() - start:.0f} s')
    handler = functools.partial(Quiet, directory=str(out))
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}/'
    server.shutdown()

class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args): pass

# of the page: addresses it leads to, ids that may be led to, pictures, and text that looks like maths left in dollars
LOOK = r'''() => {
  const main = document.querySelector('article') || document.body, left = [];
  const walk = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const n = walk.currentNode;
    if (n.parentElement.closest('pre, code, script, style, .katex, .jp-OutputArea, .clipboard-copy-txt')) continue;
    if (/\$[^$]+\$|\\frac|\\mathcal|\\sum/.test(n.data)) left.push(n.data.trim().slice(0, 80));
  }
  return {links: [...document.querySelectorAll('a[href]')].map(a => a.href),
          ids: [...document.querySelectorAll('[id]')].map(e => e.id).concat([...document.querySelectorAll('a[name]')].map(e => e.name)),
          pictures: [...main.querySelectorAll('img')].map(i => ({alt: i.alt, wide: i.naturalWidth, src: i.src.slice(0, 80)})),
          left, broken: [...document.querySelectorAll('.katex-error')].map(e => e.title),
          maths: document.querySelectorAll('.katex').length};
}'''

def walk(context, start):
    "Every page that the site leads to: {address: what it holds}, and complaints of the browser"
    page, found, said, todo = context.new_page(), {}, [], [start + 'index.html']
    here = lambda: urldefrag(page.url)[0].removeprefix(start)
    page.on('console', lambda m: said.append(f'{here()}: {m.text}') if m.type in ('error', 'warning') else None)
    page.on('pageerror', lambda e: said.append(f'{here()}: {e}'))
    gone = lambda r: 'ERR_ABORTED' in (r.failure or '')   # asked for by the page before, which was left
    page.on('requestfailed', lambda r: None if gone(r) else said.append(f'{here()}: {r.url} failed, {r.failure}'))
    page.on('response', lambda r: said.append(f'{here()}: {r.url} gave {r.status}') if r.status >= 400 else None)
    page.on('request', lambda r: said.append(f'{here()}: asks {r.url}') if not r.url.startswith((start, 'data:', 'blob:')) else None)
    while todo:
        url = todo.pop()
        if url in found: continue
        page.goto(url, wait_until='load')
        found[url] = page.evaluate(LOOK)
        inside = {urldefrag(l)[0] for l in found[url]['links'] if l.startswith(start)}
        todo += [l for l in inside if l.endswith(('.html', '/')) and l not in found]
    page.close()
    return found, said

@pytest.fixture(scope='module')
def pages(chromium, site): return site, *walk(chromium, site)

def test_the_site_has_a_page_for_each_notebook_and_each_module(pages):
    site, found, _ = pages
    names = {u.removeprefix(site) for u in found}
    assert {f'{b.stem}.html' for b in (ROOT / 'nbs').glob('*.ipynb')} <= names
    with_names = [m.stem for m in (ROOT / 'tvproxy').glob('[a-z]*.py') if '__all__ = []' not in m.read_text(encoding='utf-8')]
    assert {f'api/{m}.html' for m in with_names} <= names

def test_every_internal_link_of_the_site_leads_somewhere(pages):
    site, found, _ = pages
    lost = []
    for url, page in found.items():
        for link in page['links']:
            to, part = urldefrag(link)
            if not to.startswith(site): continue
            to = to + 'index.html' if to.endswith('/') else to
            if to.endswith('.html') and to not in found and to != site + 'index.html': lost.append((url, link))
            elif part and to in found and part not in found[to]['ids']: lost.append((url, link))
    assert not lost, '\n'.join(f'{u.removeprefix(site)} -> {l.removeprefix(site)}' for u, l in lost[:20])

def test_the_browser_complains_of_nothing_and_nothing_is_asked_of_another_host(pages):
    _, _, said = pages
    assert not said, '\n'.join(said[:20])

def test_maths_is_rendered_everywhere(pages):
    site, found, _ = pages
    wrong = [(u.removeprefix(site), p['broken'][:2], p['left'][:2]) for u, p in found.items() if p['broken'] or p['left']]
    assert not wrong, wrong[:10]
    assert sum(p['maths'] for p in found.values()) > 500

def test_every_picture_is_there_and_says_what_it_shows(pages):
    site, found, _ = pages
    pictures = [(u.removeprefix(site), p) for u, page in found.items() for p in page['pictures']]
    assert len(pictures) > 40
    wrong = [(u, p) for u, p in pictures if not p['wide'] or len(p['alt']) < 8 or 'No description' in p['alt']]
    assert not wrong, wrong[:10]

def test_names_of_the_library_lead_to_their_definition(pages):
    site, found, _ = pages
    leader = found[site + '04_leader.html']
    assert site + 'api/leader.html#DirectionLeader' in leader['links']
    assert 'DirectionLeader' in found[site + 'api/leader.html']['ids']
    search = found[site + 'api/search.html']   # its class is written in parts: all of them are there
    assert {f'VideoIndex.{m}' for m in ('build', 'load', 'search', 'search_many', 'ids')} <= set(search['ids'])
    assert any(re.search(r'04_leader\.html#cell-id=\w+', l) for l in found[site + 'api/leader.html']['links'])

def test_search_finds_a_notebook(chromium, site):
    page = chromium.new_page()
    page.goto(site + 'index.html')
    page.get_by_placeholder('Search').first.fill('direction leader')
    page.wait_for_selector('.md-search-result__link', timeout=20_000)
    links = page.eval_on_selector_all('.md-search-result__link', 'x => x.map(a => a.href)')
    page.close()
    assert any('04_leader.html' in l for l in links), links[:5]

@pytest.fixture
def lab():
    "JupyterLab as `make lab` starts it: its address with a token; it ends with the test"
    token = 'of-this-test'
    how = f'--no-browser --ServerApp.port=0 --IdentityProvider.token={token} --ServerApp.open_browser=False'
    if os.getuid() == 0: how += ' --allow-root'
    run = subprocess.Popen(['make', 'lab', f'LAB={how}'], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           stdin=subprocess.DEVNULL, start_new_session=True)
    said, url = [], None
    for line in run.stdout:
        said.append(line)
        if m := re.search(r'(http://(?:localhost|127\.0\.0\.1):\d+/)lab', line): url = m[1]; break
    threading.Thread(target=lambda: [None for _ in run.stdout], daemon=True).start()   # nobody reads on: the pipe must not fill
    assert url, ''.join(said)
    yield url, token
    os.killpg(run.pid, signal.SIGTERM)
    run.wait(30)

def test_a_notebook_runs_from_top_to_bottom_in_jupyterlab(chromium, lab):
    url, token = lab
    book = ROOT / 'nbs/04_leader.ipynb'
    before = book.read_bytes()
    page = chromium.new_page()
    page.set_viewport_size({'width': 1300, 'height': 900})
    try:
        page.goto(f'{url}lab/tree/{book.name}?token={token}&reset')
        page.wait_for_selector('.jp-Notebook .jp-Cell', timeout=60_000)
        page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=60_000)
        page.wait_for_timeout(3000)   # a kernel is idle before its page is ready
        page.get_by_role('menuitem', name='Run', exact=True).click()
        page.get_by_text('Run All Cells', exact=True).click()
        page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="busy"]', timeout=60_000)
        page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=240_000)
        page.get_by_role('menuitem', name='File', exact=True).click()
        page.get_by_text('Save Notebook', exact=True).click()
        deadline = time.time() + 60
        while time.time() < deadline:   # the saved file says which cells have run
            page.wait_for_timeout(1000)
            code = [c for c in json.loads(book.read_text(encoding='utf-8'))['cells'] if c['cell_type'] == 'code']
            if all(c['execution_count'] for c in code if ''.join(c['source']).strip()): break
        else: pytest.fail(f'{sum(not c["execution_count"] for c in code)} of {len(code)} cells did not run')
        errors = [o for c in code for o in c['outputs'] if o['output_type'] == 'error']
        assert not errors, errors[0]
        assert sum('image/png' in o.get('data', {}) for c in code for o in c['outputs']) >= 2
        shot = os.environ.get('TVPROXY_SCREENSHOTS')
        if shot: page.screenshot(path=Path(shot) / 'lab.png')
    finally:
        page.close()
        book.write_bytes(before)
        shutil.rmtree(book.parent / '.ipynb_checkpoints', ignore_errors=True)
