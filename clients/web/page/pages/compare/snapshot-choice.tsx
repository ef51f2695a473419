/** The two snapshots that are compared: any two of a host. */
import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { snapshotsQuery } from '../../api/queries.js';

interface SnapshotChoiceProps {
  readonly host: string;
  readonly from: string;
  readonly to: string;
  readonly onChoose: (from: string, to: string) => void;
}

export function SnapshotChoice({ host, from, to, onChoose }: SnapshotChoiceProps) {
  const names = useQuery(snapshotsQuery(host)).data?.map(({ name }) => name) ?? [];
  return (
    <div className="tools">
      <OneSnapshot label="From" names={names} value={from} onChange={(name) => onChoose(name, to)} />
      <OneSnapshot label="To" names={names} value={to} onChange={(name) => onChoose(from, name)} />
    </div>
  );
}

function OneSnapshot(props: {
  readonly label: string;
  readonly names: readonly string[];
  readonly value: string;
  readonly onChange: (name: string) => void;
}) {
  const { label, names, value, onChange } = props;
  const id = useId();
  // One that was archived is not in the list, and can be compared all the same.
  const choices = names.includes(value) ? names : [value, ...names];
  return (
    <>
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value)}>
        {choices.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </>
  );
}
