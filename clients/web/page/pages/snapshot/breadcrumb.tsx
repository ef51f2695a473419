/** The way from the root of the snapshot to the directory that is shown. */
import { Link } from 'wouter';
import { stepsTo } from '../../format/paths.js';
import { Foreign } from '../../parts/text.js';
import { snapshotAddress } from './snapshot-address.js';

export function Breadcrumb(props: {
  readonly host: string;
  readonly snapshot: string;
  readonly path: string;
}) {
  const { host, snapshot } = props;
  const steps = stepsTo(props.path);
  return (
    <nav className="breadcrumb" aria-label="Directory">
      <ol>
        {steps.map(({ name, path }, index) => (
          <li key={path}>
            <Link
              href={snapshotAddress({ host, snapshot, path })}
              aria-current={index === steps.length - 1 ? 'page' : undefined}
            >
              <Foreign text={name} />
            </Link>
          </li>
        ))}
      </ol>
    </nav>
  );
}
