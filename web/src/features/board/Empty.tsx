import { useSpeech } from '../../i18n'
import * as Icons from '../../ui/icons'
import { CopyButton } from '../../ui/parts'

const CONFIG = `[[olt]]
name    = "rjo-01"
site    = "RJO"
vendor  = "huawei"
address = "192.0.2.10"

[olt.ssh]
user     = "noc"
password = { env = "OLT_PASSWORD" }

[[snmp_traps.listener]]
bind = "0.0.0.0:162"

[[snmp_traps.credential]]
name      = "noc"
version   = "2c"
community = { env = "TRAP_COMMUNITY" }`

const IMPORT = 'atalaia inventory import onus.csv'

/** No OLT yet: what to do about it. */
export function Empty() {
  const { m } = useSpeech()
  const steps = [
    { title: m.empty.step1, hint: m.empty.step1Hint, code: CONFIG },
    { title: m.empty.step2, hint: m.empty.step2Hint, code: IMPORT },
    { title: m.empty.step3, hint: m.empty.step3Hint, code: null },
  ]
  return (
    <div className="empty" data-testid="empty">
      <Icons.Olt size={40} className="faint" />
      <h1>{m.empty.title}</h1>
      <p>{m.empty.lead}</p>
      <ol>
        {steps.map(({ title, hint, code }) => (
          <li key={title}>
            <h2>{title}</h2>
            <p>{hint}</p>
            {code && (
              <div className="code">
                <pre>{code}</pre>
                <CopyButton text={code} label={title} />
              </div>
            )}
          </li>
        ))}
      </ol>
    </div>
  )
}
