// Maths of a page, rendered by the KaTeX that lies beside this file
document.addEventListener('DOMContentLoaded', () => renderMathInElement(document.body, {
  delimiters: [{left: '$$', right: '$$', display: true}, {left: '$', right: '$', display: false}],
  ignoredTags: ['script', 'noscript', 'style', 'textarea', 'pre', 'code', 'option'],
  ignoredClasses: ['jp-OutputArea', 'highlight', 'clipboard-copy-txt'],
  throwOnError: false
}));
