import './styles/fonts.css'
import './styles/tokens.css'
import './styles/base.css'
import './styles/shell.css'
import './styles/board.css'
import './styles/stream.css'
import './styles/accounting.css'
import './styles/device.css'
import './styles/light.css'
import './styles/alarms.css'
import './styles/forms.css'
import './styles/measures.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app/App'
import { run } from './app/services'

run()
const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
