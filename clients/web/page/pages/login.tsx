/** Logging in with a token of the daemon. */
import { useEffect, useState, type FormEvent } from 'react';
import { logIn } from '../api/session.js';

export function LoginPage() {
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    document.title = 'Log in · BUSY';
  }, []);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem((await logIn(token.trim())) ?? '');
    setBusy(false);
  };
  return (
    <main className="login">
      <h1>BUSY</h1>
      <form onSubmit={(event) => void submit(event)}>
        <label htmlFor="token">Token</label>
        <input
          id="token"
          type="password"
          autoComplete="current-password"
          required
          value={token}
          aria-describedby="token-help"
          onChange={(event) => setToken(event.target.value)}
        />
        <p id="token-help" className="faint">
          An administrator makes one on the server with: busy token create --role viewer
        </p>
        <button className="primary" disabled={isBusy || token.trim() === ''}>
          Log in
        </button>
        <p className="problem" role="alert">
          {problem}
        </p>
      </form>
    </main>
  );
}
