import { useSpeech } from '../../i18n'
import { inert } from '../../lib/text'
import type { RuleItem } from '../../protocol/alarms'
import { Skeleton } from '../../ui/parts'
import { useAsked } from '../../ui/useAsked'
import { conditionWords, isWritten } from '../alarms/words'
import { unitOfMeasure } from '../measures/units'

/** Every version of a rule, the newest first; an older one can be put into the form. */
export function Versions({ rule, restore }: { rule: RuleItem; restore: (version: RuleItem) => void }) {
  const { m, f } = useSpeech()
  const asked = useAsked<{ items: RuleItem[] }>(
    `/alerts/rules/${encodeURIComponent(rule.rule_id)}/versions`,
    rule.version,
  )
  const items = (asked.value?.items ?? []).toSorted((a, b) => b.version - a.version || (a.at < b.at ? 1 : -1))
  return (
    <section className="card versions" aria-label={m.rules.versions}>
      <h2>{m.rules.versions}</h2>
      {asked.state === 'loading' && !asked.value && <Skeleton rows={3} />}
      {(asked.state === 'failed' || asked.state === 'missing') && (
        <p className="detail-note">
          {m.rules.versionsFailed}{' '}
          <button type="button" className="link-button" onClick={asked.again}>
            {m.device.retry}
          </button>
        </p>
      )}
      <ol>
        {items.map(each => (
          <li key={`${each.version} ${each.writer ?? ''}`}>
            <p>
              <strong>v{f.number(each.version)}</strong>
              {each.version === rule.version && <span className="badge tone-ok">{m.rules.stands}</span>}
              <span className="faint">
                {inert(each.author)}
                {isWritten(each) && ` · ${f.instant(each.at)}`}
              </span>
            </p>
            <p>{each.removed ? m.rules.removed : conditionWords(m, f, each, unitOfMeasure(each.measure))}</p>
            {each.version !== rule.version && !each.removed && (
              <button type="button" className="link-button" onClick={() => restore(each)}>
                {m.rules.restore}
              </button>
            )}
          </li>
        ))}
      </ol>
    </section>
  )
}
