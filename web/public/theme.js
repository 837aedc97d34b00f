// Before the first paint, and a file of its own so that a content policy without inline scripts lets it run.
try {
  document.documentElement.dataset.theme = localStorage.getItem('atalaia.theme') === 'light' ? 'light' : 'dark'
} catch {
  // Storage is closed to us: the default of index.html stands.
}
