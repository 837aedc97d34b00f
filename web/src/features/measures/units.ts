/** Units of the measures of ONUs, where a page has to say one before the server has told it. */
const UNITS: Record<string, string> = {
  onu_rx_power: 'dBm',
  onu_tx_power: 'dBm',
  olt_rx_power: 'dBm',
  onu_temperature: 'Cel',
  onu_voltage: 'V',
  onu_bias_current: 'mA',
  onu_distance: 'm',
}

export const KNOWN_MEASURES = Object.keys(UNITS)

export const unitOfMeasure = (measure: string | null): string | null =>
  measure !== null && Object.hasOwn(UNITS, measure) ? (UNITS[measure] as string) : null
