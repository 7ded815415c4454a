"What pyproject.toml leaves dynamic, read from settings.ini so that nbdev and pip agree"
from configparser import ConfigParser
from pathlib import Path
from setuptools import find_packages, setup

root = Path(__file__).resolve().parent
ini = ConfigParser()
ini.read(root/'settings.ini', encoding='utf-8')
cfg, readme = ini['DEFAULT'], root/'README.md'
stages = {'2': '2 - Pre-Alpha', '3': '3 - Alpha', '4': '4 - Beta', '5': '5 - Production/Stable'}

setup(
    version=cfg['version'],
    description=cfg['description'],
    long_description=readme.read_text(encoding='utf-8') if readme.exists() else cfg['description'],
    long_description_content_type='text/markdown',
    author=cfg['author'],
    url=cfg['git_url'],
    keywords=cfg['keywords'].split(),
    classifiers=[f'Development Status :: {stages[cfg["status"]]}', f'Intended Audience :: {cfg["audience"]}',
                 f'Natural Language :: {cfg["language"]}', 'Programming Language :: Python :: 3'],
    python_requires=f'>={cfg["min_python"]}',
    install_requires=cfg['requirements'].split(),
    extras_require={'dev': cfg['dev_requirements'].split(), 'search': cfg['search_requirements'].split(),
                    'docs': cfg['docs_requirements'].split()},
    entry_points={'console_scripts': cfg['console_scripts'].split()},
    packages=find_packages(include=[cfg['lib_name'], f'{cfg["lib_name"]}.*']),
)
