"""The published lists, which are not part of this project: skipped where they are not beside it.

TVPROXY_ANNOTATIONS names their folder, with actnet_data, didemo_data and msrvtt_data in it. TVPROXY_CLIP_TOKENIZER
names a folder with CLIP's tokenizer; with it the counts of long texts are compared with annotation_quality.json."""
import json, os
from pathlib import Path

import pytest

from tvproxy.benchmarks import _benchmark_rows, _listed, is_heldout
from tvproxy.data import _BadRows, load_clips
from tvproxy.doctor import _same_names, check_benchmark, text_lengths

LISTS = Path(os.environ.get('TVPROXY_ANNOTATIONS', Path(__file__).resolve().parents[2]/'shared/annotations'))
TOKENIZER = os.environ.get('TVPROXY_CLIP_TOKENIZER')
FOLDERS = {'msrvtt': 'msrvtt_data', 'didemo': 'didemo_data', 'activitynet': 'actnet_data'}
pytestmark = pytest.mark.skipif(not LISTS.is_dir(), reason=f'no published lists in {LISTS}')

def rows(dataset, part, **more): return _benchmark_rows(dataset, LISTS/FOLDERS[dataset], part, **more)

@pytest.mark.parametrize('dataset, part, n', [
    ('msrvtt', 'test', 1000), ('didemo', 'train', 8394), ('didemo', 'val', 1065),
    ('didemo', 'test', 1002),
    ('activitynet', 'train', 10006),
    ('activitynet', 'test', 4917)])
def test_published_lists_have_their_published_sizes_and_no_bad_row(dataset, part, n):
    found = rows(dataset, part)
    assert len(found) == len({name for _, name, _ in found}) == n
    assert all(len(said) == 1 and said[0] == ' '.join(said[0].split()) for *_, said in found)

@pytest.mark.parametrize('dataset', FOLDERS)
def test_the_published_names_are_known_by_their_hash(dataset):
    found = rows(dataset, 'test')
    assert _same_names(dataset, found) and _same_names(dataset, found[::-1]) and not _same_names(dataset, found[1:])

def test_msrvtt_tests_on_the_sentence_of_the_table():
    found = rows('msrvtt', 'test')
    assert found[0][1:] == ('video9770', ['a person is connecting something to system'])
    every = rows('msrvtt', 'test', captions='all')
    assert [r[1] for r in every] == [r[1] for r in found] and {len(r[2]) for r in every} == {20}
    # the table has lost punctuation marks, so that 12 of its sentences are not literally among the twenty
    assert sum(one in all_of for (_, _, (one,)), (*_, all_of) in zip(found, every)) == 988

def test_training_lists_of_msrvtt_share_nothing_with_the_test():
    test = {r[1] for r in rows('msrvtt', 'test')}
    for name, n in ('9k', 9000), ('7k', 7010):
        names = {n for _, n in _listed(LISTS/f'msrvtt_data/MSRVTT_train.{name}.csv', _BadRows('error')).values()}
        assert len(names) == n and not names & test
        assert .04 < sum(map(is_heldout, names)) / n < .06

def test_msrvtt_without_its_captions_says_what_is_looked_for():
    if (LISTS/'msrvtt_data/MSRVTT_data.json').exists(): pytest.skip('the captions are there')
    with pytest.raises(FileNotFoundError, match='needs MSRVTT_data.json with MSRVTT_train.9k.csv; .*data/README.md'):
        rows('msrvtt', 'train')

def test_a_folder_above_two_data_sets_is_refused():
    with pytest.raises(ValueError, match='train.jsonl is there twice'):
        _benchmark_rows('didemo', LISTS, 'train')

def test_a_few_videos_load_or_are_missed(tmp_path):
    names = [r[1] for r in rows('activitynet', 'test')][:3]
    for n in names[:2]: (tmp_path/f'{n[2:]}.mp4').touch()
    with pytest.warns(UserWarning, match='4,915 of 4,917 videos are missing'):
        clips = load_clips('activitynet', LISTS/'actnet_data', 'test', videos=tmp_path, missing='skip')
    assert [c.id for c in clips] == names[:2]

def test_the_doctor_finds_no_overlap_and_no_bad_row(tmp_path):
    for dataset, folder in FOLDERS.items():
        report = check_benchmark(dataset, LISTS/folder, tmp_path, read='none', progress=False)
        assert report.shared == () and not any(s.bad for s in report.splits) and not report.comparable

QUALITY = {('didemo', 'train'): 'didemo/train.jsonl', ('didemo', 'val'): 'didemo/val.jsonl',
           ('didemo', 'test'): 'didemo/test.jsonl',
           ('activitynet', 'train'): 'actnet/train.jsonl', ('activitynet', 'test'): 'actnet/val1.jsonl',
           ('msrvtt', 'test'): 'MSRVTT_JSFUSION_test.csv'}

@pytest.mark.skipif(not TOKENIZER, reason='TVPROXY_CLIP_TOKENIZER names no folder')
@pytest.mark.parametrize('dataset, part', QUALITY)
def test_as_many_texts_are_long_as_were_counted(dataset, part):
    from tvproxy.data import Tokenizer
    clip, want = Tokenizer.from_pretrained(TOKENIZER), json.loads((LISTS/'annotation_quality.json').read_text())
    want, compared = want[QUALITY[dataset, part]], 0
    kinds = {'para': 'paragraph', 'cap': 'sentences'} if dataset != 'msrvtt' else {'cap': 'one'}
    for short, captions in kinds.items():
        lengths = text_lengths((t for r in rows(dataset, part, captions=captions) for t in r[2]), clip)
        assert max(lengths) == want[f'{short}_tok_max']
        for n in (32, 50, 64, 70, 77):
            if f'{short}_tok>{n}' in want: assert sum(l > n for l in lengths) == want[f'{short}_tok>{n}']; compared += 1
    assert compared >= 2
