// SPDX-License-Identifier: GPL-2.0-only
// A thread for each connection, as waits_server.py: java WaitsServer.java PORT. /sleep and /park
// sleep, /result and /result-in wait for another thread.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

public class WaitsServer {
	static final ExecutorService pool = Executors.newFixedThreadPool(2);

	static Object later() throws Exception {
		Thread.sleep(300);
		return null;
	}

	static void park() {
		long until = System.nanoTime() + 300_000_000L;
		while (System.nanoTime() < until)
			LockSupport.parkNanos(until - System.nanoTime());
	}

	static void work(String path) throws Exception {
		switch (path) {
		case "/sleep": Thread.sleep(300); break;
		case "/park": park(); break;
		case "/result": pool.submit(WaitsServer::later).get(); break;
		case "/result-in": pool.submit(WaitsServer::later).get(5, TimeUnit.SECONDS); break;
		}
	}

	static void serve(Socket s) {
		try (s) {
			BufferedReader in = new BufferedReader(new InputStreamReader(s.getInputStream()));
			String line;
			while ((line = in.readLine()) != null) {
				String path = line.split(" ")[1];
				while (!(line = in.readLine()).isEmpty())
					;
				work(path);
				s.getOutputStream().write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".getBytes());
			}
		} catch (Exception e) {
			System.err.println(e);
		}
	}

	public static void main(String[] args) throws Exception {
		ServerSocket listener = new ServerSocket(Integer.parseInt(args[0]), 50,
							 InetAddress.getByName("127.0.0.1"));
		while (true) {
			Socket s = listener.accept();
			new Thread(() -> serve(s)).start();
		}
	}
}
