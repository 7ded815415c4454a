"TV-ProxyNet, a reproduction: a text proxy for each video"
__version__ = "0.1.0"

_NAMES = {name: module for module, names in {
    'shapes': 'ShapesConfig make_shapes',
    'decoders': 'VideoError VideoFacts probe_video',
    'video': 'frame_indices read_frames',
    'prepare': 'PrepareReport prepare_videos',
    'data': 'Clip ClipDataset Tokenizer check_data load_clips make_loader',
    'benchmarks': 'is_heldout',
    'doctor': 'DataReport check_benchmark',
    'encoders': 'TextEncoder VideoEncoder VideoFeatures',
    'leader': 'DirectionLeader',
    'dash': 'LinearDash ThetaDash',
    'refine': 'ProxyOutput TextProxyGenerator',
    'losses': 'gather_with_grad info_nce proxy_losses',
    'model': 'TVProxyConfig TVProxyNet preset',
    'checkpoints': 'LoadReport',
    'retrieval': 'choose_gamma dual_softmax late_interaction rank_metrics score_matrix',
    'scorer': 'ProxyScorer',
    'evaluation': 'evaluate',
    'search': 'VideoIndex',
    'pages': 'filmstrip save_page',
    'training': 'TrainConfig train'}.items() for name in names.split()}

__all__ = ['__version__', *_NAMES]

def __getattr__(name):
    "Import a module when one of its names is first asked for, so that `import tvproxy` stays quick"
    if name not in _NAMES: raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import import_module
    return getattr(import_module(f'{__name__}.{_NAMES[name]}'), name)

def __dir__(): return sorted(set(globals()) | set(__all__))
