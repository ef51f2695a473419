/** From a host that nobody knows to one that can be backed up: its key, the key of the server for it, and the tests. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Finding, ScanHostKeyResponse } from '../../../gen/busy/v1/enrollment_service_pb.js';
import { FindingState } from '../../../gen/busy/v1/enrollment_service_pb.js';
import { Role } from '../../../gen/busy/v1/token_service_pb.js';
import { enrollmentService } from '../../api/clients.js';
import { ActionButton, RoleNote } from '../../parts/action-button.js';
import { CopyLine } from '../../parts/copy-line.js';
import { Failure } from '../../parts/notices.js';
import { PageHeading } from '../../parts/page-heading.js';
import { Mark, type Tone } from '../../parts/states.js';
import { Foreign } from '../../parts/text.js';

const tones: Readonly<Record<FindingState, Tone>> = {
  [FindingState.UNSPECIFIED]: 'quiet',
  [FindingState.OK]: 'good',
  [FindingState.WARNING]: 'doubtful',
  [FindingState.PROBLEM]: 'bad',
};

export function EnrollPage({ host }: { readonly host: string }) {
  return (
    <>
      <PageHeading title={`${host} · enroll`}>
        <Link href={`/hosts/${host}`}>{host}</Link> · enroll
      </PageHeading>
      <RoleNote needs={Role.ADMIN} />
      <ol className="steps">
        <li>
          <HostKeyStep host={host} />
        </li>
        <li>
          <KeyPairStep host={host} />
        </li>
        <li>
          <CheckStep host={host} />
        </li>
      </ol>
    </>
  );
}

function HostKeyStep({ host }: { readonly host: string }) {
  const scan = useMutation({ mutationFn: () => enrollmentService.scanHostKey({ host }) });
  const [pinned, setPinned] = useState('');
  return (
    <>
      <h2>The key of the host</h2>
      <p>
        Whoever shows this key is taken for {host} from then on, so it is compared once by a person, on the
        host itself.
      </p>
      <ActionButton
        needs={Role.ADMIN}
        kind="primary"
        onAction={async () => {
          setPinned('');
          await scan.mutateAsync();
        }}
      >
        Ask for its key
      </ActionButton>
      {scan.data && pinned === '' && (
        <Comparison host={host} scan={scan.data} onPin={() => setPinned(scan.data.fingerprint)} />
      )}
      <p role="status">{pinned !== '' && <Mark tone="good" text={`${pinned} is pinned.`} />}</p>
    </>
  );
}

function Comparison(props: {
  readonly host: string;
  readonly scan: ScanHostKeyResponse;
  readonly onPin: () => void;
}) {
  const { host, scan, onPin } = props;
  const [isCompared, setCompared] = useState(false);
  const isKnown = scan.pinnedFingerprint === scan.fingerprint;
  const isOther = scan.pinnedFingerprint !== '' && !isKnown;
  const pin = async (): Promise<void> => {
    await enrollmentService.pinHostKey({ host, fingerprint: scan.fingerprint, replace: isOther });
    onPin();
  };
  return (
    <div className="compare">
      <dl className="facts">
        <dt>Shown at</dt>
        <dd className="mono">{scan.address}</dd>
        <dt>Fingerprint</dt>
        <dd className="mono">{scan.fingerprint}</dd>
      </dl>
      {isKnown && <Mark tone="good" text="It is the pinned key. There is nothing to do." />}
      {isOther && (
        <p className="problem">
          Another key is pinned: {scan.pinnedFingerprint}. Either the host was set up anew, or another machine
          answers in its place.
        </p>
      )}
      {!isKnown && (
        <>
          <p>On the host, not over the network, print its fingerprint and compare:</p>
          <CopyLine text={scan.compareCommand} name="Command" />
          <label className="choice">
            <input
              type="checkbox"
              checked={isCompared}
              onChange={(event) => setCompared(event.target.checked)}
            />
            I have compared it there, and it is the same
          </label>
          <ActionButton
            needs={Role.ADMIN}
            kind={isOther ? 'danger' : 'primary'}
            hindrance={isCompared ? '' : 'Compare it first.'}
            onAction={pin}
          >
            {isOther ? 'Replace the pinned key' : 'Pin this key'}
          </ActionButton>
        </>
      )}
    </div>
  );
}

function KeyPairStep({ host }: { readonly host: string }) {
  const prepare = useMutation({ mutationFn: () => enrollmentService.prepareHostKeyPair({ host }) });
  const pair = prepare.data;
  return (
    <>
      <h2>The key of the server for it</h2>
      <p>This server has a key pair for this host alone. The private half never leaves it.</p>
      <ActionButton needs={Role.ADMIN} onAction={async () => void (await prepare.mutateAsync())}>
        Show the public key
      </ActionButton>
      {pair && (
        <div className="compare">
          <p>
            The line for ~/.ssh/authorized_keys of the user on the host{pair.isNew && ' (made just now)'}:
          </p>
          <CopyLine text={pair.authorizedKeysLine} name="Line for authorized_keys" />
          <ol>
            {pair.steps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
          {pair.notes.map((note) => (
            <p key={note}>
              <Mark tone="doubtful" text={note} />
            </p>
          ))}
        </div>
      )}
    </>
  );
}

function CheckStep({ host }: { readonly host: string }) {
  const check = useMutation({ mutationFn: () => enrollmentService.checkHost({ host }) });
  return (
    <>
      <h2>The test</h2>
      <p>Logs in and looks at all that a backup needs. Nothing is changed.</p>
      <ActionButton needs={Role.OPERATOR} onAction={async () => void (await check.mutateAsync())}>
        {check.isPending ? 'Testing …' : 'Test the host'}
      </ActionButton>
      {check.isError && <Failure error={check.error} />}
      {check.data && (
        <ul className="findings" aria-label="Results">
          {check.data.findings.map((finding) => (
            <FindingItem key={finding.subject} finding={finding} />
          ))}
        </ul>
      )}
    </>
  );
}

function FindingItem({ finding }: { readonly finding: Finding }) {
  return (
    <li>
      <Mark tone={tones[finding.state]} text={finding.subject} />:{' '}
      <Foreign className="" text={finding.text} />
      {finding.advice !== '' && (
        <p className="faint">
          <Foreign className="" text={finding.advice} />
        </p>
      )}
    </li>
  );
}
