"Run notebooks as Jupyter does, each in a kernel of its own with nbs/ as its folder; --inplace keeps the outputs"
import argparse, json, os, re, sys, time
from concurrent.futures import ThreadPoolExecutor
from configparser import ConfigParser
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parents[1]
ANSI = re.compile(r'\x1b\[[0-9;]*m')
FOLDED = re.compile(r'<details>.*?</details>', re.S)
WIDGET = 'application/vnd.jupyter.widget-view+json'
BLOCK = re.compile(r'^```py\n(.*?)^```', re.S | re.M)

def directives(src):
    "Names on the leading `#|` lines of a cell"
    names = set()
    for line in src.splitlines():
        if m := re.match(r'\s*#\s*\|\s*([\w-]+)(:\s*false)?', line): names.add(m[1] + (':false' if m[2] else ''))
        elif line.strip(): break
    return names

def left_out(cell, flags):
    return cell.cell_type != 'code' or 'nbdev_export(' in cell.source or bool(directives(cell.source) & flags)

def answers(nb):
    "Code of the folded answers, each named by its cell: it runs where the notebook has ended, and its output is not kept"
    return [nbformat.v4.new_code_cell(code, id=c.id) for c in nb.cells if c.cell_type == 'markdown'
            for fold in FOLDED.findall(c.source) for code in BLOCK.findall(fold)]

def run(path, flags, inplace=False, timeout=900):
    "Seconds that the notebook took, seconds of its test cells among them, and what went wrong in it, or None"
    nb = nbformat.read(path, as_version=4); start, tests = time.time(), 0.
    client = NotebookClient(nb, timeout=timeout, kernel_name='python3', record_timing=False, coalesce_streams=True,
                            extra_arguments=['--log-level=40'], resources={'metadata': {'path': str(path.parent)}})
    try:
        with client.setup_kernel():
            for i, c in enumerate(nb.cells):
                if left_out(c, flags): continue
                began = time.time(); client.execute_cell(c, i)
                if 'test' in directives(c.source): tests += time.time() - began
            for c in answers(nb):
                nb.cells.append(c); client.execute_cell(c, len(nb.cells) - 1); nb.cells.pop()   # it has to be one of nb's
    except Exception as e:   # a cell raised, took too long, or killed the kernel
        why = ANSI.sub('', str(e)) if isinstance(e, CellExecutionError) else f'{type(e).__name__}: {e}'
        return time.time() - start, tests, f'{path.name} #{c.get("id")}: {why}'
    if inplace:
        nb.metadata.pop('widgets', None)   # a slider without its kernel moves nothing
        for c in nb.cells:
            if c.cell_type == 'code': c.outputs = [o for o in c.outputs if WIDGET not in o.get('data', {})]
        nbformat.write(nb, path)
    return time.time() - start, tests, None

def shown_times():
    "Seconds that the notebooks say they take without their test cells: {name: seconds}"
    path = ROOT/'nbs/results/times.json'
    return {n: t['cells'] for n, t in json.loads(path.read_text(encoding='utf-8'))['notebooks'].items()} if path.exists() else {}

def main():
    ini = ConfigParser(); ini.read(ROOT/'settings.ini', encoding='utf-8')
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('notebooks', nargs='*', type=Path, help='default: all of nbs/')
    p.add_argument('--inplace', action='store_true', help='write outputs to the notebooks (then run nbdev_clean)')
    p.add_argument('--workers', type=int, default=0, help='notebooks at a time (default: 2, in place 1)')
    p.add_argument('--flags', default='', help='run cells with these flags too, such as "slow browser"')
    p.add_argument('--no-tests', action='store_true', help='leave out the test cells, which pytest runs')
    p.add_argument('--times', type=Path, help='JSON file: write the seconds of each notebook there, if none failed')
    a = p.parse_args()
    flags = set(ini['DEFAULT']['tst_flags'].split()) - set(a.flags.split()) | {'eval:false'}
    if a.no_tests: flags |= {'test'}
    books = [n.resolve() for n in a.notebooks] or sorted((ROOT/'nbs').glob('[!_.]*.ipynb'))
    workers = a.workers or (1 if a.inplace else 2); failed, took = [], {}
    for k in 'HF_HUB_OFFLINE', 'JUPYTER_PREFER_ENV_PATH': os.environ.setdefault(k, '1')
    os.environ.setdefault('TOKENIZERS_PARALLELISM', 'false')
    path = os.environ.get('PYTHONPATH')
    os.environ['PYTHONPATH'] = f'{ROOT}{os.pathsep}{path}' if path else str(ROOT)   # this tree's library
    if workers > 1: os.environ['OMP_NUM_THREADS'] = '1'
    with ThreadPoolExecutor(workers) as pool:   # threads only wait: the work is in the kernels' processes
        order = sorted(books, key=lambda b: 'train' not in b.name)   # the longest first
        jobs = {b: pool.submit(run, b, flags, a.inplace) for b in order}
        for b in books:
            secs, tests, why = jobs[b].result()
            print(f'{"FAILED" if why else "ok":6} {secs:6.1f} s  {b.name}', flush=True)
            took[b.stem] = {'cells': round(secs - tests, 1), 'tests': round(tests, 1)}
            if why: failed.append(why)
    if a.times and not failed:
        whole = {'workers': workers, 'notebooks': took}
        a.times.write_text(json.dumps(whole, indent=1) + '\n', encoding='utf-8')
    for name, says in shown_times().items():   # a note, no failure: machines differ
        t = took.get(name, {}).get('cells')
        if t and not says / 2 <= t <= says * 2 and abs(t - says) > 5: print(f'note: {name} says {says:.0f} s and took {t:.0f} s')
    for why in failed: print(f'\n{why}', flush=True)
    print(f'notebooks: {len(books) - len(failed)} ran, {len(failed)} failed')
    sys.exit(bool(failed))

if __name__ == '__main__': main()
