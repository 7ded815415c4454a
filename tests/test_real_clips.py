"""Real videos, where there are any: a folder with `manifest.jsonl` (a line with "file" a clip) and broken ones below `odd/`.

Name it in TVPROXY_CLIPS; without, `shared/clips` beside the project is tried, and without that the tests are skipped."""
import json, os, time
from pathlib import Path

import av, numpy as np, pytest, torch

from tvproxy.decoders import VideoError
from tvproxy.prepare import prepare_videos
from tvproxy.video import frame_indices, read_frames, resize_frames

CLIPS = Path(os.environ.get('TVPROXY_CLIPS', Path(__file__).resolve().parents[2]/'shared/clips'))
needs_clips = pytest.mark.skipif(not (CLIPS/'manifest.jsonl').is_file(), reason='no real clips here')
ODD = sorted(p.name for p in (CLIPS/'odd').glob('*') if p.suffix != '.jsonl') if CLIPS.is_dir() else []

def in_order(path, size=224):
    "All frames of a file by PyAV, from the first to the last"
    out = []
    with av.open(str(path)) as f:
        for frame in f.decode(video=0):
            x = np.rot90(frame.to_ndarray(format='rgb24'), round(frame.rotation / 90)).copy()
            out.append(resize_frames(torch.from_numpy(x).permute(2, 0, 1)[None], size)[0])
    return torch.stack(out).float()

def wrong_frames(path, n=12):
    "Which of n frames are not the asked ones: 12 grey levels off, or nearer to a neighbour within 15 by more than 1"
    got, all_ = read_frames(path, n).float(), in_order(path)
    wrong = []
    for k, i in enumerate(frame_indices(len(all_), n).tolist()):
        first = max(0, i - 15)
        off = (all_[first:i + 16] - got[k]).abs().mean((1, 2, 3))
        if off[i - first] >= 12 or off.min() < off[i - first] - 1: wrong.append(k)
    return wrong

@needs_clips
def test_every_real_clip_gives_twelve_right_frames():
    files = [json.loads(line)['file'] for line in (CLIPS/'manifest.jsonl').read_text().splitlines()]
    assert len(files) >= 40
    assert {f: w for f in files if (w := wrong_frames(CLIPS/f))} == {}

@needs_clips
@pytest.mark.parametrize('name', ODD)
def test_an_odd_file_gives_right_frames_or_an_error_that_names_it(name):
    start = time.time()
    try: read_frames(CLIPS/'odd'/name, 12)
    except VideoError as e: assert name in e.path and e.reason
    else: assert wrong_frames(CLIPS/'odd'/name) == []
    assert time.time() - start < 25

@needs_clips
def test_prepared_real_clips_show_the_frames_of_their_sources_through_plain_decord(tmp_path):
    decord = pytest.importorskip('decord')
    names = {json.loads(line)['file'] for line in (CLIPS/'manifest.jsonl').read_text().splitlines()}
    (tmp_path/'in').mkdir()
    for name in names: (tmp_path/'in'/name).symlink_to(CLIPS/name)
    report = prepare_videos(tmp_path/'in', tmp_path/'out', workers=2, progress=False)
    assert report.failed == {} and len(report.done) == len({Path(n).stem for n in names})
    for name in names:
        reader = decord.VideoReader(str(tmp_path/'out'/name).rsplit('.', 1)[0] + '.mp4', num_threads=1)
        all_ = in_order(CLIPS/name)
        kept = np.linspace(0, len(all_) - 1, len(reader)).astype(int)
        index = np.random.RandomState(0).permutation(len(reader))[:12].tolist()   # out of order: it must jump
        got = resize_frames(torch.from_numpy(reader.get_batch(index).asnumpy()).permute(0, 3, 1, 2), 224).float()
        for x, i in zip(got, kept[index]):
            off = (all_ - x).abs().mean((1, 2, 3))
            assert off[i] < 12 and off.min() > off[i] - 1, (name, i, off[i])
