import { useEffect, useRef } from 'react'
import { useSpeech } from '../i18n'
import * as Icons from '../ui/icons'

/** The list behind `?`. A modal dialog: the browser keeps the focus inside, Esc closes it. */
export function Shortcuts({ close }: { close: () => void }) {
  const { m } = useSpeech()
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  const k = m.shortcuts.key
  const groups: [string, [string[], string][]][] = [
    [
      m.shortcuts.anywhere,
      [
        [['/', 'Ctrl K'], m.shortcuts.search],
        [['g', '1'], m.shortcuts.board],
        [['2'], m.shortcuts.alarms],
        [['3'], m.shortcuts.sites],
        [['p'], m.shortcuts.pause],
        [['t'], m.shortcuts.theme],
        [[k.esc], m.shortcuts.close],
        [['?'], m.shortcuts.help],
      ],
    ],
    [
      m.shortcuts.inAlarms,
      [
        [['j', 'k'], m.shortcuts.alarmMove],
        [['o', k.enter], m.shortcuts.alarmOpen],
        [['e', k.space], m.shortcuts.alarmFold],
        [['a'], m.alarms.acts.acknowledge],
        [['u'], m.alarms.acts.unacknowledge],
        [['c'], m.alarms.acts.comment],
        [['s'], m.shortcuts.alarmSilence],
        [['x'], m.alarms.acts.clear],
        [['f'], m.alarms.search],
        [['n'], m.shortcuts.create],
      ],
    ],
    [
      m.shortcuts.inTree,
      [
        [['↑', '↓'], m.shortcuts.treeMove],
        [['→', '←'], m.shortcuts.treeOpen],
        [[k.enter, k.space], m.shortcuts.treeSelect],
      ],
    ],
  ]
  return (
    <dialog ref={dialog} className="dialog" onClose={close} aria-labelledby="shortcuts-title">
      <header>
        <h2 id="shortcuts-title">{m.shortcuts.title}</h2>
        <button
          type="button"
          className="ghost-button"
          onClick={() => dialog.current?.close()}
          aria-label={m.shortcuts.close}
        >
          <Icons.Cross />
        </button>
      </header>
      {groups.map(([title, rows]) => (
        <section key={title}>
          <h3>{title}</h3>
          <dl>
            {rows.map(([keys, what]) => (
              <div key={what}>
                <dt>{what}</dt>
                <dd>
                  {keys.map(key => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </dialog>
  )
}
