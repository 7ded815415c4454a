"Every test starts from the same seeds, offline, and fails if it ran without checking anything"
import functools, os, random

os.environ['HF_HUB_OFFLINE'] = '1'   # before anything imports huggingface_hub
import fastcore.test, numpy as np, pytest, torch

checked = 0   # checks made so far: asserts by pytest's hook, functions by the wrappers below

def count():
    global checked
    checked += 1

def counted(f):
    "`f`, counted once it returned, so once its check held"
    @functools.wraps(f)
    def inner(*args, **kwargs):
        res = f(*args, **kwargs)
        count()
        return res
    return inner

class CountedBlock:
    "`with raises(...)`, counted when the block has raised what it should"
    def __init__(self, block): self.block = block
    def __enter__(self): return self.block.__enter__()
    def __exit__(self, *exc):
        res = self.block.__exit__(*exc)
        if res or exc[0] is None: count()
        return res

def counted_block(f):
    @functools.wraps(f)
    def inner(*args, **kwargs):
        res = f(*args, **kwargs)
        if hasattr(res, '__exit__'): return CountedBlock(res)
        count()   # raises(Error, f, x) has called f already
        return res
    return inner

def wrap(mod, names, how=counted):
    for n in names:
        if callable(f := getattr(mod, n, None)): setattr(mod, n, how(f))

wrap(torch.testing, ['assert_close', 'assert_allclose'])
wrap(np.testing, [n for n in dir(np.testing) if n.startswith('assert_')])
wrap(fastcore.test, [n for n in dir(fastcore.test) if n.startswith('test_')])
wrap(fastcore.test, ['expect_fail', 'ExceptionExpected'], counted_block)
wrap(pytest, ['raises', 'warns'], counted_block)

def pytest_assertion_pass(item, lineno, orig, expl): count()

def seed():
    random.seed(0); np.random.seed(0); torch.manual_seed(0)

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    seed()   # before the fixtures
    if item.get_closest_marker('gpu') and not torch.cuda.is_available(): pytest.skip('needs CUDA')

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    seed(); before = checked   # after them
    res = yield
    if checked == before: pytest.fail(f'{item.name} ran but checked nothing', pytrace=False)
    return res

def pytest_pycollect_makeitem(name, obj):
    "Leave `fastcore.test.test_eq` and its like out: pytest takes every imported `test_*` for a test"
    if (getattr(obj, '__module__', None) or '').startswith('fastcore'): return []
